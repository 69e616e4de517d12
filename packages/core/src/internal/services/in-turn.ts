import { setTimeout as delay } from 'node:timers/promises'
import { ServiceFailure } from './answers.js'

/** Of one operation of a guest's: `timeout` in milliseconds. */
export interface Options {
  readonly signal: AbortSignal
  readonly timeout: number | undefined
}

/** The engine has a guest's requests judged two at a time, as a file system may hang: the others try again (`EAGAIN`). */
export async function inTurn<T>({ signal, timeout }: Options, ask: (rest: Options) => Promise<T>): Promise<T> {
  const until = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
  for (let wait = 1; ; wait = Math.min(wait * 2, 32)) {
    const left = until - performance.now()
    try {
      return await ask({ signal, timeout: timeout === undefined ? undefined : Math.max(0, left) })
    } catch (error) {
      if ((error as { errno?: unknown }).errno !== 'EAGAIN') throw error
      if (left <= 0) throw new ServiceFailure('ETIMEDOUT')
    }
    await delay(wait, undefined, { signal })
  }
}
