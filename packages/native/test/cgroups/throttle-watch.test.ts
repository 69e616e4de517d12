import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ThrottleWatch } from '../../src/internal/throttle-watch.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a group that was paused is told of once a second, one that was not never, and none once it has ended', () => {
  const told: number[] = []
  let periods: number | undefined = 0
  const reads = vi.fn(() => periods)
  const watch = new ThrottleWatch({ throttledPeriods: reads }, (lost) => told.push(lost))
  for (const seen of [0, 1, 1, 8, undefined, 9]) {
    periods = seen
    vi.advanceTimersByTime(1000)
  }
  expect(told).toEqual([0, 6, 0])
  watch.stop()
  periods = 20
  vi.advanceTimersByTime(5000)
  expect(told).toHaveLength(3)
  expect(reads).toHaveBeenCalledTimes(6)
})
