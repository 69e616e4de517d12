/** As many denials a second as an event is made of. */
const mostPerSecond = 100

/** Cuts what comes too fast, and counts it. */
export class Pace {
  #second = 0
  #count = 0
  #lost = 0

  /** How many were left out since the last one that wasn't; `undefined`: this one is. `lost`: that go with it. */
  take(lost = 0, now = performance.now()): number | undefined {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#count = 0
    }
    this.#count += 1
    this.#lost += lost
    if (this.#count > mostPerSecond) {
      this.#lost += 1
      return undefined
    }
    const told = this.#lost
    this.#lost = 0
    return told
  }
}
