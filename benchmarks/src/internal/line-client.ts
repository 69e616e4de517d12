import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/** Samples are nanoseconds where they are times. */
export interface Answer {
  readonly samples?: number[]
  readonly private?: number[]
  readonly proportional?: number[]
  readonly value?: number
  readonly answer?: unknown
  readonly error?: string
}

/** A helper process that answers each line with a line of JSON: a limit or a peer, measured outside this process. */
export class LineClient implements Disposable {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #waiting: Waiting[] = []
  #failure: Error | undefined
  #stderr = ''

  constructor(name: string, command: string, args: readonly string[]) {
    this.#name = name
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stdin!.on('error', () => {})
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2000)
    })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#settle(line))
    this.#child.on('error', (error) => this.#fail(error.message))
    this.#child.on('close', (code, signal) => this.#fail(`ended with ${signal ?? `code ${code}`} ${this.#stderr}`))
  }

  /** Asks one thing after the other. */
  ask(line: string): Promise<Answer> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin!.write(`${line}\n`)
    })
  }

  async samples(line: string): Promise<number[]> {
    const { samples } = await this.ask(line)
    if (samples === undefined || samples.length === 0) throw new Error(`${this.#name}: no samples for ${line}`)
    return samples
  }

  [Symbol.dispose](): void {
    this.#failure ??= new Error(`${this.#name} is closed`)
    this.#child.kill('SIGKILL')
  }

  #settle(line: string): void {
    const waiting = this.#waiting.shift()
    let answer: Answer
    try {
      answer = JSON.parse(line)
    } catch {
      answer = { error: `said ${line}` }
    }
    if (answer.error === undefined) waiting?.resolve(answer)
    else waiting?.reject(new Error(`${this.#name}: ${answer.error}`))
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`${this.#name} ${why}`)
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}
