/** Which way a figure is better. */
export type Better = 'lower' | 'higher'

export interface Summary {
  readonly p50: number
  /** What 99 of 100 samples are as good as or better than: the 99th percentile of times, the 1st of rates. */
  readonly p99: number
  readonly n: number
}

/**
 * The value below which a fraction of the samples lies, between two samples by linear interpolation.
 * @throws RangeError on no samples, or a fraction outside 0…1
 */
export function quantile(samples: readonly number[], fraction: number): number {
  if (samples.length === 0) throw new RangeError('no samples')
  if (!(fraction >= 0 && fraction <= 1)) throw new RangeError(`a fraction of ${fraction}`)
  const sorted = Float64Array.from(samples).sort()
  const at = fraction * (sorted.length - 1)
  const below = sorted[Math.floor(at)]!
  const above = sorted[Math.ceil(at)]!
  return below + (above - below) * (at - Math.floor(at))
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

export function summarize(samples: readonly number[], better: Better = 'lower'): Summary {
  const p99 = quantile(samples, better === 'lower' ? 0.99 : 0.01)
  return { p50: median(samples), p99, n: samples.length }
}

export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('no values')
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}
