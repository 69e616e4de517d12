import type { CellExit } from '@pyisolate/interface'
import type { Denial } from '../../denial.js'
import type { OutcomeData } from '../../outcome.js'

/** A limit that was reached, and who says so. */
export interface LimitNotice extends Pick<Denial, 'toldBy'> {
  readonly limit: LimitName
  /** What the guest saw; `undefined` when it was ended. */
  readonly seen: string | undefined
  /** How often it was reached since the last notice of it, beside this once. */
  readonly lost: number
}

/** What the guest sees of those that it lives on with. */
export const seenOf = {
  memory: 'MemoryError',
  threads: 'RuntimeError',
  openFiles: 'EMFILE',
  fileSize: 'EFBIG',
} as const

export type GuestLimit = keyof typeof seenOf
export type LimitName = GuestLimit | 'cpu' | 'callTime' | 'wallTime' | 'cpuTime' | 'output' | 'messages'

/** The limit that a sandbox has ended of. What was killed for one was killed by this side, or by the kernel. */
export function limitThatEnded(outcome: OutcomeData, exit: CellExit): LimitNotice | undefined {
  const limit = limitOf(outcome)
  const ours = exit.killedBy !== null || exit.signal !== null
  return limit && { limit, seen: undefined, lost: 0, toldBy: ours ? 'supervisor' : 'guest' }
}

function limitOf(outcome: OutcomeData): LimitName | undefined {
  switch (outcome.kind) {
    case 'timeout':
      return outcome.limit === 'wall' ? 'wallTime' : 'callTime'
    case 'cpu':
      return 'cpuTime'
    case 'memory':
    case 'output':
    case 'messages':
      return outcome.kind
    default:
      return undefined
  }
}
