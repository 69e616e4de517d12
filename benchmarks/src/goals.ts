import type { Figure } from './figure.js'

export interface Goal {
  readonly text: string
  met(figure: Figure): boolean
}

const within = (text: string, most: number, ratio: number): Goal => ({
  text,
  met: (it) => it.p50 <= most || (it.ratio !== null && it.ratio <= ratio),
})
const reaching = (text: string, least: number, ratio: number): Goal => ({
  text,
  met: (it) => it.p50 >= least && it.ratio !== null && it.ratio >= ratio,
})
const adding = (text: string, most: number): Goal => ({
  text,
  met: (it) => it.limit !== null && it.p50 - it.limit <= most,
})
const atMost = (text: string, most: number): Goal => ({ text, met: ({ p50 }) => p50 <= most })
const atLeast = (text: string, least: number): Goal => ({ text, met: ({ p50 }) => p50 >= least })

/** What is to be reached, by figure; the medians count, as the machines that measure are rarely quiet. */
const GOALS: readonly (readonly [RegExp, Goal])[] = [
  [/^spawn\.process\.cold$/, within('≤ 700 µs or ≤ 1.5 × limit', 700, 1.5)],
  [/^spawn\.(process|interpreter)\.pool$/, within('≤ 250 µs or ≤ 4 × limit', 250, 4)],
  [/^roundtrip\.1kB$/, within('≤ 35 µs or ≤ 1.6 × limit', 35, 1.6)],
  [/^oneshot$/, atLeast('≥ 1000 per s', 1000)],
  [/^memory\.process\.\d+\.private$/, atMost('≤ 512 KiB', 512)],
  [/^memory\.interpreter\.\d+\.private$/, atMost('≤ 2048 KiB', 2048)],
  [/^guest\.cpu$/, atLeast('≥ 0.97 × limit', 0.97)],
  [/^broker\.seal\.1kB$/, reaching('≥ 1.9 M per s and ≥ 0.6 × limit', 1_900_000, 0.6)],
  [/^aead\.seal\.1kB$/, reaching('≥ 1.9 M per s and ≥ 0.6 × limit', 1_900_000, 0.6)],
  [/^broker\.roundtrip\.1kB$/, adding('≤ limit + 5 µs', 5)],
  [/^cycle\.leak\.(descriptors|children|cgroups)$/, atMost('none', 0)],
  [/^policy\.reload$/, atMost('≤ 50 µs', 50)],
  // Allocators keep some of what they were given; a leak of half a KiB in every cycle would be more.
  [/^cycle\.leak\.memory$/, atMost('≤ 4096 KiB', 4096)],
]

export function goalOf(name: string): Goal | undefined {
  return GOALS.find(([pattern]) => pattern.test(name))?.[1]
}
