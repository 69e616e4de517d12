import type { Denial, GuestError } from '@pyisolate/core'
import type { RunOutcome } from '../exit-code.js'
import type { Listener } from './output.js'

/** Tells what a run does, in its order. */
export interface Reporter extends Listener {
  /** A Python exception that the program did not catch. */
  raised(error: GuestError): void
  /** With `--explain`: something the program was denied. */
  denied(denial: Denial): void
  /** The last word. */
  ended(outcome: RunOutcome, exitCode: number): void
}
