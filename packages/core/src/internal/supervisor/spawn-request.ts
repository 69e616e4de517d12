import type { SpawnRequest } from '@pyisolate/interface'
import { errorBudget } from '../frames/guest-error.js'
import { budgetOf, cellLimits } from '../options/limits.js'
import type { SettledSpawn } from '../options/spawn-options.js'
import type { SettledSupervisor } from '../options/supervisor-options.js'
import { aroundArguments } from '../session/host-calls.js'
import type { Session } from '../session/session.js'
import { defaultBudget } from '../values/budget.js'
import { decodeValue } from '../values/decode.js'
import { encodeValue } from '../values/encode.js'

/** What the engine gets to start one sandbox; its frames go to `session`. @throws ValueEncodingError */
export function spawnRequest(
  session: Session,
  spawn: SettledSpawn,
  supervisor: SettledSupervisor,
  signal: AbortSignal,
): SpawnRequest {
  const { name } = session
  const { isolation, cell } = spawn
  const limits = cellLimits(spawn.limits)
  const budget = budgetOf(spawn.limits)
  const init = { name, isolation, limits, inputs: spawn.inputs, functions: [...spawn.functions.keys()] }
  const cellInit =
    cell === undefined
      ? undefined
      : {
          name: cell,
          isolation,
          limits: { ...limits, ...supervisor.cell, cpuSeconds: 0 },
          inputs: {},
          functions: [],
          warm: supervisor.warm,
        }
  return {
    name,
    isolation,
    preload: [...new Set([...supervisor.preload, ...spawn.preload])],
    readPaths: supervisor.readPaths,
    modulePaths: supervisor.modulePaths,
    ringBytes: supervisor.ringBytes,
    // A value may be as large as a frame, and what is around it comes on top; an error isn't a value.
    maxFrameBytes: aroundArguments(errorBudget(budget)).bytes,
    limits,
    // The engine knows its budgets only once it has read them here.
    init: encodeValue(init, defaultBudget),
    ...(cell !== undefined && { cell, cellInit: encodeValue(cellInit, defaultBudget) }),
    decode: (payload) => decodeValue(payload, budget),
    onFrame: session.onFrame,
    onDrain: session.onDrain,
    onCorrupt: session.onCorrupt,
    onExit: session.onExit,
    signal,
  }
}
