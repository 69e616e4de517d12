import { constants } from 'node:os'
import type { CellExit } from '@pyisolate/interface'
import type { Outcome, OutcomeData } from '../../outcome.js'
import type { ExitFrame } from '../frames/exit.js'
import type { SettledLimits } from '../options/limits.js'
import { withMessage } from './describe.js'
import { Reason } from './reason.js'

export interface Evidence {
  readonly name: string
  readonly exit: CellExit
  /** The sandbox's own last word; anyone in it can forge one, to its own outcome's harm alone. */
  readonly exitFrame?: ExitFrame | undefined
  /** What this side found wrong with its frames. */
  readonly protocol?: string | undefined
  /** `close()` was called. */
  readonly closing: boolean
  readonly limits: SettledLimits
}

/**
 * What counts, first to last: frames that were wrong; a shared cell that another sandbox brought down; the
 * reason we killed it for; its own last word; that we closed it; the signal it died of; its exit code.
 */
export function decideOutcome(evidence: Evidence): Outcome {
  const { exit, exitFrame, protocol, limits } = evidence
  if (protocol !== undefined) return withMessage({ kind: 'protocol', detail: protocol })
  if (exit.cell !== undefined && exit.cell.culprit !== evidence.name) {
    const detail = withMessage(killed(exit.killedBy, limits) ?? died(exit, limits))
    return withMessage({ kind: 'cell', cell: exit.cell.name, detail })
  }
  return withMessage(killed(exit.killedBy, limits) ?? said(exitFrame, limits) ?? ended(evidence))
}

/** By us, and not just because it was closed. */
function killed(reason: string | null, limits: SettledLimits): OutcomeData | undefined {
  if (reason === null || reason === Reason.closed) return undefined
  const [kind, ...rest] = reason.split(':')
  switch (kind) {
    case 'timeout':
      return { kind, limit: rest[0] === 'wall' ? 'wall' : 'call', ms: Number(rest[1]) }
    case 'cpu':
      return { kind, ms: Number(rest[0] ?? limits.cpuTime) }
    case 'output':
      return { kind, bytes: Number(rest[0]) }
    case 'messages':
      return { kind, count: Number(rest[0]) }
    case 'contract':
      return { kind: 'policy', contract: rest.join(':') }
    case 'protocol':
      return { kind, detail: rest.join(':') }
    case 'aborted':
      return { kind }
    case 'internal':
      return { kind, detail: rest.join(':') }
    default:
      return { kind: 'internal', detail: `its engine ended it: ${reason}` }
  }
}

function said(frame: ExitFrame | undefined, limits: SettledLimits): OutcomeData | undefined {
  if (frame === undefined) return undefined
  switch (frame.kind) {
    case 'exit':
      return { kind: 'exit', code: frame.code }
    case 'memory':
      return { kind: 'memory', bytes: limits.memory }
    case 'cpu':
      return { kind: 'cpu', ms: limits.cpuTime }
    case 'closed':
      return { kind: 'closed' }
    default:
      return { kind: frame.kind, detail: frame.message }
  }
}

function ended({ exit, closing, limits }: Evidence): OutcomeData {
  return closing || exit.killedBy === Reason.closed ? { kind: 'closed' } : died(exit, limits)
}

function died({ code, signal }: CellExit, limits: SettledLimits): OutcomeData {
  if (signal === null) return { kind: 'exit', code: code ?? 0 }
  // The kernel's own, coarser CPU limit stands behind the engine's.
  if (signal === constants.signals.SIGXCPU && Number.isFinite(limits.cpuTime))
    return { kind: 'cpu', ms: limits.cpuTime }
  return { kind: 'signal', signal: signalName(signal) }
}

function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number)
  return known?.[0] ?? `signal ${number}`
}
