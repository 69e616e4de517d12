import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_CHANNEL'

/**
 * What ended a channel, or kept a message from being sent. Stable, like a code.
 *
 * `authentication`: a frame was changed, dropped, repeated, moved or sent back. `replay`: a datagram came twice, or too
 * late to tell. `malformed`: an authentic frame that no honest peer seals. `oversized`: a message beyond
 * `maxMessageBytes`. `truncated`: the transport ended without the peer's authenticated close. `exhausted`: a counter has
 * no value left. `queue`: more sends wait than `maxWaitingSends`. `closed`: the channel has ended. `transport`: the
 * transport failed, or broke its contract.
 */
export type ChannelProblem =
  | 'authentication'
  | 'replay'
  | 'malformed'
  | 'oversized'
  | 'truncated'
  | 'exhausted'
  | 'queue'
  | 'closed'
  | 'transport'

/** A sealed channel that failed, or a message that can't be sent on it. */
export class ChannelError extends PyIsolateError {
  override readonly code = code
  readonly problem: ChannelProblem

  constructor(problem: ChannelProblem, what: string, options: { readonly cause?: unknown } = {}) {
    super(what, options)
    this.problem = problem
  }

  static override isInstance(value: unknown): value is ChannelError {
    return hasCode(value, code)
  }
}
