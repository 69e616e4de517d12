import { describe, expect, it } from 'vitest'
import { geometricMean, median, quantile, summarize } from '../src/statistics.js'

describe('quantile', () => {
  it('lies between two samples in proportion', () => {
    expect(quantile([4, 1, 3, 2], 0)).toBe(1)
    expect(quantile([4, 1, 3, 2], 1)).toBe(4)
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
    expect(quantile([10, 20], 0.25)).toBe(12.5)
    expect(quantile([7], 0.99)).toBe(7)
  })

  it('sorts by value, and leaves the samples alone', () => {
    const samples = [10, 9, 100]
    expect(median(samples)).toBe(10)
    expect(samples).toEqual([10, 9, 100])
  })

  it('agrees with the textbook on 1…100', () => {
    const samples = Array.from({ length: 101 }, (_, i) => i)
    expect(quantile(samples, 0.99)).toBe(99)
    expect(quantile(samples, 0.01)).toBe(1)
  })

  it.each([
    [[], 0.5],
    [[1], -0.1],
    [[1], 1.1],
    [[1], Number.NaN],
  ])('refuses %j at %d', (samples, fraction) => {
    expect(() => quantile(samples, fraction)).toThrow(RangeError)
  })
})

describe('summarize', () => {
  const samples = Array.from({ length: 101 }, (_, i) => i)
  it('takes the slow end of times and the low end of rates', () => {
    expect(summarize(samples)).toEqual({ p50: 50, p99: 99, n: 101 })
    expect(summarize(samples, 'higher')).toEqual({ p50: 50, p99: 1, n: 101 })
  })
})

describe('geometricMean', () => {
  it('treats twice and half alike', () => {
    expect(geometricMean([2, 0.5])).toBeCloseTo(1)
    expect(() => geometricMean([])).toThrow(RangeError)
  })
})
