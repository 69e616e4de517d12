import { defaultMaxListeners, getMaxListeners, setMaxListeners } from 'node:events'

/**
 * Listens for the abort of a signal that may be shared by hundreds of calls, which is no leak: each stops
 * listening by the function it gets. A bound the signal's owner has set is left alone.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {}
  liftBound(signal)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

function liftBound(signal: AbortSignal): void {
  try {
    if (getMaxListeners(signal) === defaultMaxListeners) setMaxListeners(0, signal)
  } catch {
    // Node 20: a signal of AbortSignal.timeout() has no bound, and asking for it throws.
  }
}
