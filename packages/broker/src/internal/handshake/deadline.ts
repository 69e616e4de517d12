import { HandshakeError } from '../../errors/handshake-error.js'

/** Rejects when the time is over or the signal is aborted, until it is disposed of. */
export function deadline(ms: number, signal: AbortSignal | undefined): Disposable & { readonly over: Promise<never> } {
  let stop = () => {}
  const over = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal!.reason)
    const timer = setTimeout(() => reject(new HandshakeError('timeout', `it took more than ${ms} ms`)), ms)
    signal?.addEventListener('abort', onAbort)
    stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  })
  over.catch(() => {})
  return { over, [Symbol.dispose]: () => stop() }
}
