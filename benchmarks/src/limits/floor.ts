import { join } from 'node:path'
import type { Supervisor } from '@pyisolate/core'
import { type Interpreter, packageFolder } from '../internal/files.js'
import { LineClient } from '../internal/line-client.js'

/** The same interpreter without us, as `python/floor.py` says. */
export class Floor implements Disposable {
  readonly #client: LineClient

  constructor(interpreter: Interpreter) {
    const script = join(packageFolder, 'python', 'floor.py')
    this.#client = new LineClient('the bare interpreter', interpreter.executable, ['-I', '-S', script])
  }

  /** Makes it as large as the supervisor's zygote: it imports what a fresh sandbox has imported. */
  async growLike(supervisor: Supervisor): Promise<void> {
    const sandbox = await supervisor.spawn('what-is-imported')
    const names = await sandbox.eval<string[]>('sorted(__import__("sys").modules)')
    await sandbox.close()
    await this.#ask('import_modules', names)
  }

  /** Nanoseconds from fork to the child's first line of Python. */
  async fork(count: number, pauseUs: number): Promise<number[]> {
    return (await this.#ask('fork', count, pauseUs)).samples!
  }

  /** Forks that run one line and exit, per second. */
  async rate(count: number, together: number): Promise<number[]> {
    return (await this.#ask('rate', count, together)).samples!
  }

  /** KiB of forked children that ran one line and wait. */
  async idle(count: number): Promise<{ private: number[]; proportional: number[] }> {
    return (await this.#ask('idle', count)) as { private: number[]; proportional: number[] }
  }

  /** KiB of each bare sub-interpreter. */
  async interpreters(count: number): Promise<{ private: number[]; proportional: number[] }> {
    return (await this.#ask('interpreters', count)) as { private: number[]; proportional: number[] }
  }

  /** Nanoseconds of runs of a workload, and its answer. */
  async cpu(source: string, count: number): Promise<{ samples: number[]; answer: unknown }> {
    return (await this.#ask('cpu', source, count)) as { samples: number[]; answer: unknown }
  }

  #ask(...request: unknown[]) {
    return this.#client.ask(JSON.stringify(request))
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]()
  }
}
