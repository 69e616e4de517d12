import { randomInt } from 'node:crypto'

/** How long each fuzzer runs, in milliseconds, and the seed it starts from: both by the environment, for a long run or to repeat one. */
export const FUZZ_MS = Number(process.env.PYISOLATE_FUZZ_MS ?? 1500)
export const FUZZ_SEED = Number(process.env.PYISOLATE_FUZZ_SEED ?? randomInt(2 ** 32))

/** Whole numbers below a bound, the same ones for the same seed (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Runs `round` with a generator of its own until the time is over; a failure names the seed that repeats it. */
export async function fuzz(round: (random: (below: number) => number) => void | Promise<void>): Promise<number> {
  const end = performance.now() + FUZZ_MS
  let rounds = 0
  for (; rounds === 0 || performance.now() < end; rounds++) {
    const seed = (FUZZ_SEED + rounds) >>> 0
    try {
      await round(randomNumbers(seed))
    } catch (cause) {
      throw new Error(`failed with PYISOLATE_FUZZ_SEED=${seed}`, { cause })
    }
  }
  console.log(`${rounds} rounds from PYISOLATE_FUZZ_SEED=${FUZZ_SEED}`)
  return rounds
}

export function randomBytesOf(random: (below: number) => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256))
}
