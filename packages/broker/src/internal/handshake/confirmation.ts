import { ChannelError } from '../../errors/channel-error.js'
import { HandshakeError } from '../../errors/handshake-error.js'

/** A peer that refuses says nothing: it goes away, or its first frame is sealed with other keys. */
export function unconfirmed(error: unknown): unknown {
  if (!ChannelError.isInstance(error)) return error
  const problem = error.problem === 'authentication' || error.problem === 'malformed' ? 'authentication' : 'transport'
  return new HandshakeError(problem, 'the peer did not confirm it', { cause: error })
}
