import type { Group } from './cgroups/group.js'

const everyMs = 1000

/** Looks once a second whether a group was paused for its share of the CPU: of groups that have one, and nobody else. */
export class ThrottleWatch {
  readonly #timer: NodeJS.Timeout
  #seen = 0

  /** `told`: with how many periods it was paused in beside the one that is told. */
  constructor(
    private readonly group: Pick<Group, 'throttledPeriods'>,
    private readonly told: (lost: number) => void,
  ) {
    this.#timer = setInterval(() => this.#look(), everyMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const periods = this.group.throttledPeriods()
    if (periods === undefined || periods <= this.#seen) return
    const lost = periods - this.#seen - 1
    this.#seen = periods
    this.told(lost)
  }
}
