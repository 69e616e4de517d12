/** After the first failure, in milliseconds; doubled for each further one. */
const firstRetry = 1000
/** Of the interval: a server that is down for long is asked less often than one that is well. */
const slowest = 8

/**
 * How long to wait for the next check. With jitter, so that a thousand supervisors that lost their server together
 * don't come back together.
 * @param failures in a row, until now
 * @param random from 0 to 1
 */
export function nextDelay(interval: number, failures: number, random: () => number = Math.random): number {
  if (failures === 0) return interval * (0.9 + 0.2 * random())
  const longest = Math.min(firstRetry * 2 ** Math.min(failures - 1, 30), interval * slowest)
  return longest * (0.5 + 0.5 * random())
}
