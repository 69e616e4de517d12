import { constants } from 'node:os'
import type { OutcomeData } from '@pyisolate/core'

/** Exit codes of `pyisolate run` that are not the guest's own. The names are stable, and so are the numbers. */
export const ExitCode = Object.freeze({
  ok: 0,
  /** A Python exception that nobody caught. */
  exception: 1,
  usage: 2,
  timeout: 124,
  /** PyIsolate's own failure: a sandbox that could not be started, broke the protocol, or an output that can't be written. */
  failure: 125,
  /** This host can't confine a sandbox. */
  refused: 126,
  engineMissing: 127,
} as const)

/** How a run ended: a sandbox's outcome, or why there was none. */
export type RunOutcome = (
  | OutcomeData
  | { readonly kind: 'interrupted'; readonly signal: string }
  | { readonly kind: 'engine-missing'; readonly detail: string }
  | { readonly kind: 'spawn'; readonly detail: string }
) & { readonly message: string }

/** As shells do it: 128 and the signal's number. */
export function signalCode(signal: string): number {
  const known = constants.signals[signal as NodeJS.Signals] ?? Number(/^signal (\d+)$/.exec(signal)?.[1])
  return Number.isInteger(known) ? 128 + known : ExitCode.failure
}

export function exitCodeOf(outcome: RunOutcome): number {
  switch (outcome.kind) {
    case 'closed':
      return ExitCode.ok
    case 'exit':
      return outcome.code & 0xff
    case 'signal':
    case 'interrupted':
      return signalCode(outcome.signal)
    case 'aborted':
      return signalCode('SIGINT')
    case 'timeout':
      return ExitCode.timeout
    // What the kernel would send for each of these limits.
    case 'memory':
    case 'policy':
      return signalCode('SIGKILL')
    case 'cpu':
      return signalCode('SIGXCPU')
    case 'output':
    case 'messages':
      return signalCode('SIGXFSZ')
    case 'cell':
      return exitCodeOf(outcome.detail)
    case 'refused':
      return ExitCode.refused
    case 'engine-missing':
      return ExitCode.engineMissing
    case 'protocol':
    case 'internal':
    case 'spawn':
      return ExitCode.failure
  }
}
