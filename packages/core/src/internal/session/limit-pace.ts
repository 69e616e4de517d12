import type { LimitNotice } from './limit-notice.js'

/**
 * Milliseconds between two notices: a little less than the second that the broker, and a cell, keep to by their own
 * clocks, so that one of theirs isn't taken for too early.
 */
const pause = 900
/** For so long after the supervisor has met a limit it goes without saying that the guest has. */
const known = 2000

interface Met {
  told: number
  seen: number
  lost: number
}

/** Limits that a guest can reach again and again: about one notice of each a second, from each that tells. */
export class LimitPace {
  readonly #met = new Map<string, Met>()

  /** The notice with what was left out since the last one; `undefined`: this one is, and counted or known already. */
  take(notice: LimitNotice, now = performance.now()): LimitNotice | undefined {
    const { limit, toldBy } = notice
    const bySupervisor = this.#met.get(`${limit} supervisor`)
    // One refusal, seen from both sides.
    if (toldBy === 'guest' && bySupervisor !== undefined && now - bySupervisor.seen < known) return undefined
    const key = `${limit} ${toldBy}`
    const met = this.#met.get(key) ?? { told: Number.NEGATIVE_INFINITY, seen: now, lost: 0 }
    this.#met.set(key, met)
    met.seen = now
    met.lost += notice.lost
    if (now - met.told < pause) {
      met.lost += 1
      return undefined
    }
    const { lost } = met
    met.told = now
    met.lost = 0
    return { ...notice, lost }
  }
}
