import { randomInt } from 'node:crypto'

/** Whole numbers below a bound, the same ones for the same seed (mulberry32). */
export type Random = (below: number) => number

export function randomNumbers(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** How long each fuzzer runs, in milliseconds, and the seed it starts from: both by the environment, for a long run or to repeat one. */
export const FUZZ_MS = Number(process.env.PYISOLATE_FUZZ_MS ?? 1500)
export const FUZZ_SEED = Number(process.env.PYISOLATE_FUZZ_SEED ?? randomInt(2 ** 32))

/**
 * Runs `round` with a generator of its own until the time is over, and on a slow machine until it was run `least` times;
 * a failure names the seed that repeats it.
 */
export function fuzz(round: (random: Random) => void, least = 1): void {
  const end = performance.now() + FUZZ_MS
  for (let rounds = 0; rounds < least || performance.now() < end; rounds++) {
    const seed = (FUZZ_SEED + rounds) >>> 0
    try {
      round(randomNumbers(seed))
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`failed with PYISOLATE_FUZZ_SEED=${seed}: ${why}`, { cause })
    }
  }
}
