import type { Denial, GuestError } from '@pyisolate/core'
import type { RunOutcome } from '../exit-code.js'
import { describeDenial } from './describe-denial.js'
import { jsonOf } from './json-value.js'
import type { Output, StreamName } from './output.js'
import type { Reporter } from './reporter.js'

const mostTold = 1000

/** The program's own output, byte by byte, and what Python would say on stderr. */
export class TextReporter implements Reporter {
  readonly #output: Output
  readonly #told = new Set<string>()
  #interrupted = false

  constructor(output: Output) {
    this.#output = output
  }

  printed(stream: StreamName, bytes: Uint8Array): boolean {
    return this.#output.write(stream, bytes)
  }

  posted(value: unknown): boolean {
    return this.#output.write('stdout', `${jsonOf(value)}\n`)
  }

  raised(error: GuestError): void {
    this.#interrupted = error.type === 'KeyboardInterrupt'
    this.#output.write('stderr', error.traceback.endsWith('\n') ? error.traceback : `${error.traceback}\n`)
  }

  denied(denial: Denial): void {
    const text = describeDenial(denial)
    // A program that tries again and again is told off once.
    if (this.#told.has(text) || this.#told.size >= mostTold) return
    this.#told.add(text)
    this.#output.write('stderr', `pyisolate: ${text}\n`)
  }

  ended(outcome: RunOutcome): void {
    // An exit is the program's own doing, and an interrupt its user's: Python says nothing more about them either.
    if (outcome.kind === 'closed' || outcome.kind === 'exit') return
    if (outcome.kind === 'interrupted' && this.#interrupted) return
    // Nor is a closed pipe worth a word: `| head` does it.
    if (outcome.kind === 'signal' && outcome.signal === 'SIGPIPE') return
    this.#output.write('stderr', `pyisolate: ${outcome.message}\n`)
  }
}
