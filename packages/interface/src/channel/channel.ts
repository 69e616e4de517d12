/**
 * Messages both ways, whole and in order. Implementations run the compliance suite of the test kit.
 */
export interface Channel extends AsyncDisposable {
  /**
   * Resolves when the channel has taken the bytes over, and waits while the peer is behind; until then they must not
   * change. Not a word on whether the peer has read them. An abort takes back what is not on its way yet.
   * @throws a `PyIsolateError` once the channel has ended, or `signal.reason`
   */
  send(bytes: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>
  /**
   * Every message that comes, as bytes that are the reader's own. Ends when the channel was closed in good order, by
   * either side, and throws when it wasn't. While nobody reads, the peer is held back. Readers share the messages.
   */
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** Sends what waits, then ends both directions; messages that were not taken are dropped. Idempotent. */
  close(): Promise<void>
}
