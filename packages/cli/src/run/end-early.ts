import { setTimeout as delay } from 'node:timers/promises'
import type { Ending, Terminal } from '../terminal.js'
import type { Runner } from './runner.js'

/** What output has left to be taken once its user wants the command to end, in milliseconds. */
const patience = 300

/** The user's signals, for one run: SIGINT interrupts the program, a second one, or any other, ends it. */
export class EndEarly implements Disposable {
  readonly #runner: Runner
  readonly #ignore: () => void
  readonly #hurried: Promise<void>
  #hurry!: () => void
  #signals = 0

  constructor(terminal: Terminal, runner: Runner) {
    this.#runner = runner
    this.#hurried = new Promise((resolve) => {
      this.#hurry = resolve
    })
    this.#ignore = terminal.onSignal((signal) => this.#onSignal(signal))
  }

  /** Waits for the last output, but not for a reader that keeps a user from ending the command. */
  async wait(flushed: Promise<void>): Promise<void> {
    await Promise.race([flushed, this.#hurried.then(() => delay(patience))])
  }

  [Symbol.dispose](): void {
    this.#ignore()
  }

  #onSignal(signal: Ending): void {
    if (signal === 'SIGINT' && this.#signals++ === 0) {
      this.#runner.interrupt(signal)
    } else {
      this.#runner.end({ kind: 'interrupted', signal, message: `ended by ${signal}` })
      this.#hurry()
    }
  }
}
