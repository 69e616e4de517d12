import type { Value } from '../../value.js'
import { onAbort } from '../abort.js'
import type { SettledCall } from '../options/call-options.js'
import type { Inbox } from './inbox.js'

/** Not a generator: its `return()` would wait behind a pending `next()`, which may never come. */
export function messageIterator(inbox: Inbox, { signal, timeout }: SettledCall): AsyncIterableIterator<Value> {
  const stopping = new AbortController()
  const stopped = Symbol('stopped')
  const forward = () => stopping.abort(signal?.reason)
  if (signal?.aborted) forward()
  const stopListening = onAbort(signal, forward)

  const finish = (): IteratorReturnResult<undefined> => {
    stopListening()
    return { done: true, value: undefined }
  }
  return {
    async next() {
      if (stopping.signal.reason === stopped) return finish()
      try {
        const received = await inbox.next({ signal: stopping.signal, timeout })
        return received === undefined ? finish() : { done: false, value: received.value }
      } catch (error) {
        if (error === stopped) return finish()
        throw error
      }
    },
    async return() {
      stopping.abort(stopped)
      return finish()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
