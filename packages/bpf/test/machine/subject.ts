import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number as number, name]))

/** A program that does what it is told, thread by thread (test/subject/subject.cc). */
export class Subject {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<string, ((result: number) => void)[]>()

  constructor(executable = fileURLToPath(new URL('../Release/pyisolate-subject', import.meta.url))) {
    this.#process = spawn(executable, {
      stdio: ['pipe', 'pipe', 'inherit'],
    }) as unknown as ChildProcessWithoutNullStreams
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const [name = '', result] = line.split(' ')
      this.#waiting.get(name)?.shift()?.(Number(result))
    })
    // A subject that was killed answers nothing any more: its calls give NaN.
    this.#process.once('exit', () => {
      for (const list of this.#waiting.values()) for (const resolve of list.splice(0)) resolve(Number.NaN)
    })
    this.#process.stdin.on('error', () => {})
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** What the call said as a number: an errno, or a count. */
  number(thread: string, call: string): Promise<number> {
    return new Promise((resolve) => {
      const list = this.#waiting.get(thread) ?? []
      this.#waiting.set(thread, list)
      list.push(resolve)
      if (process.env.PYISOLATE_TRACE) console.log('CALL', this.pid, thread, call)
      this.#process.stdin.write(`${thread} ${call}\n`)
    })
  }

  /** `ok`, or the errno's name. */
  async call(thread: string, call: string): Promise<string> {
    const result = await this.number(thread, call)
    return result === 0 ? 'ok' : (names.get(result) ?? String(result))
  }

  id(thread: string): Promise<number> {
    return this.number(thread, 'id')
  }

  async exit(): Promise<NodeJS.Signals | number | null> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.stdin.end()
      await once(this.#process, 'exit')
    }
    return this.#process.signalCode ?? this.#process.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.exit()
  }
}
