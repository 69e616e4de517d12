import type { CellLimits, SpawnRequest } from '@pyisolate/interface'
import { errorBudget } from '../frames/guest-error.js'
import { initPayload } from '../frames/request.js'
import { budgetOf, cellLimits, type SettledLimits } from '../options/limits.js'
import type { SettledSpawn } from '../options/spawn-options.js'
import type { SettledSupervisor } from '../options/supervisor-options.js'
import type { Ruling } from '../policy/ruling.js'
import { aroundArguments } from '../session/host-calls.js'
import type { Session } from '../session/session.js'
import { defaultBudget } from '../values/budget.js'
import { decodeValue } from '../values/decode.js'
import { encodeValue } from '../values/encode.js'

interface EncodedLimits {
  readonly limits: CellLimits
  readonly encoded: Uint8Array
}

/** Most sandboxes of a supervisor have the same. */
const known = new WeakMap<SettledLimits, EncodedLimits>()

function settledLimits(settled: SettledLimits): EncodedLimits {
  let entry = known.get(settled)
  if (entry === undefined) {
    const limits = cellLimits(settled)
    entry = { limits, encoded: encodeValue(limits, defaultBudget) }
    known.set(settled, entry)
  }
  return entry
}

/** What the engine gets to start one sandbox; its frames go to `session`. @throws ValueEncodingError */
export function spawnRequest(
  session: Session,
  spawn: SettledSpawn,
  supervisor: SettledSupervisor,
  signal: AbortSignal,
  ruling: Ruling | undefined,
  onDenial: NonNullable<SpawnRequest['onDenial']>,
): SpawnRequest {
  const { name } = session
  const { isolation, cell } = spawn
  const { limits, encoded } = settledLimits(spawn.limits)
  const budget = budgetOf(spawn.limits)
  return {
    name,
    isolation,
    preload: spawn.preload.length === 0 ? supervisor.preload : [...new Set([...supervisor.preload, ...spawn.preload])],
    readPaths: supervisor.readPaths,
    modulePaths: supervisor.modulePaths,
    ringBytes: supervisor.ringBytes,
    // A value may be as large as a frame, and what is around it comes on top; an error isn't a value.
    maxFrameBytes: aroundArguments(errorBudget(budget)).bytes,
    limits: ruling?.policy.limits.cpu === undefined ? limits : { ...limits, cpu: ruling.policy.limits.cpu },
    init: initPayload({
      name,
      isolation,
      limits: encoded,
      inputs: spawn.inputs,
      functions: [...spawn.functions.keys()],
      settings: ruling?.settings,
    }),
    ...(ruling !== undefined && { broker: ruling, systemCalls: ruling.systemCalls }),
    onDenial,
    onLimit: session.onLimit,
    initIsSure: Object.keys(spawn.inputs).length === 0,
    ...(cell !== undefined && {
      cell,
      warm: supervisor.warm,
      cellInit: () => {
        const shared = { ...limits, ...supervisor.cell, cpuSeconds: 0 }
        return encodeValue({ name: cell, isolation, limits: shared, inputs: {}, functions: [] }, defaultBudget)
      },
    }),
    decode: (payload) => decodeValue(payload, budget),
    onFrame: session.onFrame,
    onDrain: session.onDrain,
    onCorrupt: session.onCorrupt,
    onExit: session.onExit,
    signal,
  }
}
