import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { check } from '../suite.js'

/** An interpreter that answers lines over pipes: what a program without a sandbox would do. */
export class PipedPython implements AsyncDisposable {
  static readonly program = 'import sys\nfor line in sys.stdin:\n  sys.stdout.write(line)\n  sys.stdout.flush()'
  readonly #child: ChildProcess

  constructor([command, ...args]: string[]) {
    this.#child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  /** Microseconds each. */
  async roundTrips(text: string, count: number): Promise<number[]> {
    const { stdin, stdout } = this.#child
    stdout!.setEncoding('utf8')
    const samples: number[] = []
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      stdin!.write(`${text}\n`)
      let answer = ''
      while (!answer.endsWith('\n')) answer += (await once(stdout!, 'data'))[0]
      samples.push((performance.now() - start) * 1000)
      check(answer === `${text}\n`, 'the echo of the piped interpreter')
    }
    return samples
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await ended
  }
}
