import type { PolicyUpdate } from '../policy-source.js'
import { PolicySourceError } from '../policy-source-error.js'
import { readInput } from '../read-input.js'
import { type Compilation, compileFile } from './compile-file.js'
import type { Settling } from './settling.js'
import type { FileStatus } from './watch-status.js'

/** One policy of a watched file or folder: what it was last made of, and what came of it. */
export class WatchedFile {
  #status: FileStatus
  #last: Compilation | undefined
  #update: PolicyUpdate | undefined

  constructor(
    readonly name: string,
    readonly file: string,
  ) {
    this.#status = { name, file, state: 'missing', version: undefined, lastChanged: undefined, error: undefined }
  }

  get status(): FileStatus {
    return this.#status
  }

  /** Every file that matters for it. */
  get inputs(): readonly string[] {
    return this.#last === undefined ? [this.file] : this.#last.inputs.map(({ file }) => file)
  }

  /** Whether a policy waits to be taken. */
  get changed(): boolean {
    return this.#update !== undefined
  }

  /** A policy that was not taken yet. */
  take(): PolicyUpdate | undefined {
    const update = this.#update
    this.#update = undefined
    return update
  }

  /** Its folder is gone, or can't be read. */
  gone(error: PolicySourceError): void {
    this.#last = undefined
    this.#set({ state: error.problem === 'missing' ? 'missing' : 'failing', error })
  }

  /**
   * Reads and compiles it, if anything changed and nobody is writing.
   * @param late nobody waits any longer: files that are still being written are an error
   * @returns how many milliseconds it must be left alone before it can be read; 0 when this is settled
   */
  look(settling: Settling, late: boolean): number {
    if (this.#last?.inputs.every(({ file, fingerprint }) => readInput(file).fingerprint === fingerprint)) return 0
    const next = compileFile(this.file)
    const left = settling.left(next.inputs)
    if (left > 0 && !late) return left
    if (left > 0) {
      const what = 'it, or a file it extends, is being written all the time'
      this.#set({ state: 'failing', error: new PolicySourceError('file', this.file, what, { expected: 'a pause' }) })
      return 0
    }
    this.#last = next
    this.#conclude(next)
    return 0
  }

  #conclude({ policy, version, error }: Compilation): void {
    if (policy === undefined) {
      const gone = PolicySourceError.isInstance(error) && error.problem === 'missing'
      this.#set({ state: gone ? 'missing' : 'failing', error })
      return
    }
    if (version === this.#status.version) {
      this.#set({ state: 'current', error: undefined })
      return
    }
    this.#update = { name: this.name, policy, version, from: this.file }
    this.#set({ state: 'current', error: undefined, version, lastChanged: new Date() })
  }

  #set(part: Partial<FileStatus>): void {
    this.#status = { ...this.#status, ...part }
  }
}
