import type { Denial, GuestError } from '@pyisolate/core'
import type { RunOutcome } from '../exit-code.js'
import { jsonOf } from './json-value.js'
import type { Output, StreamName } from './output.js'
import type { Reporter } from './reporter.js'
import { type Piece, TextPieces } from './text-pieces.js'

/** Every event as a line of JSON on stdout. */
export class JsonReporter implements Reporter {
  readonly #output: Output
  readonly #pieces: Readonly<Record<StreamName, TextPieces>> = { stdout: new TextPieces(), stderr: new TextPieces() }

  constructor(output: Output) {
    this.#output = output
  }

  printed(stream: StreamName, bytes: Uint8Array): boolean {
    return this.#text(stream, this.#pieces[stream].push(bytes))
  }

  posted(value: unknown): boolean {
    return this.#line(`{"post":${jsonOf(value)}}`)
  }

  raised({ type, module, guestMessage, traceback, frames }: GuestError): void {
    this.#line(JSON.stringify({ error: { type, module, message: guestMessage, traceback, frames } }))
  }

  denied(denial: Denial): void {
    this.#line(JSON.stringify({ denied: denial }))
  }

  ended(outcome: RunOutcome, exitCode: number): void {
    for (const stream of ['stdout', 'stderr'] as const) this.#text(stream, this.#pieces[stream].end())
    this.#line(JSON.stringify({ outcome: { ...outcome, exitCode } }))
  }

  #text(stream: StreamName, pieces: readonly Piece[]): boolean {
    for (const piece of pieces) this.#line(JSON.stringify({ stream, ...piece }))
    return this.#output.hasRoom
  }

  #line(text: string): boolean {
    return this.#output.write('stdout', `${text}\n`)
  }
}
