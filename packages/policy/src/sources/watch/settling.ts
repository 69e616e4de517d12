import { performance } from 'node:perf_hooks'
import type { FileInput } from '../read-input.js'

/**
 * Tells files that are being written from those that are not. A file that changed long ago is left alone; where the
 * clocks disagree (the change lies ahead), one that was seen for long enough without a change is, too.
 */
export class Settling {
  readonly #seen = new Map<string, { readonly fingerprint: string; readonly since: number }>()

  constructor(private readonly settle: number) {}

  /** How many milliseconds are left to wait; 0 when all of them are left alone. */
  left(inputs: readonly FileInput[]): number {
    return Math.max(0, ...inputs.map((input) => this.#left(input)))
  }

  #left({ file, fingerprint, changed }: FileInput): number {
    const age = Date.now() - changed
    if (age >= this.settle) {
      this.#seen.delete(file)
      return 0
    }
    const now = performance.now()
    const seen = this.#seen.get(file)
    if (seen?.fingerprint !== fingerprint) {
      this.#seen.set(file, { fingerprint, since: now })
      return age < 0 ? this.settle : this.settle - age
    }
    return Math.max(0, this.settle - Math.max(age, now - seen.since))
  }
}
