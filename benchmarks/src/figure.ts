import { type Better, median, type Summary, summarize } from './statistics.js'

/** Somebody else's figure, from the same run and in the same unit; or why there is none. */
export type Peer = ({ readonly name: string } & Summary) | { readonly name: string; readonly missing: string }

/** One line of the result, and of the JSON. */
export interface Figure extends Summary {
  readonly name: string
  readonly unit: string
  /** Median of the physical limit, in the same unit; `null` where there is none. */
  readonly limit: number | null
  /** p50 / limit. */
  readonly ratio: number | null
  readonly peers: readonly Peer[]
}

export interface Measured {
  readonly name: string
  readonly unit: string
  readonly samples: readonly number[]
  /** Samples of the physical limit, or the limit itself. */
  readonly limit?: readonly number[] | number
  readonly peers?: readonly Peer[]
  /** Default `lower`. */
  readonly better?: Better
}

export function figure({ name, unit, samples, limit, peers = [], better = 'lower' }: Measured): Figure {
  const summary = summarize(samples, better)
  const bound = typeof limit === 'number' ? limit : limit === undefined ? null : median(limit)
  const ratio = bound === null || bound === 0 ? null : summary.p50 / bound
  return { name, unit, ...summary, limit: bound, ratio, peers }
}

export function peer(name: string, samples: readonly number[], better: Better = 'lower'): Peer {
  return { name, ...summarize(samples, better) }
}
