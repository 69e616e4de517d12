import type { ChannelSetup } from './channel-setup.js'
import { HandshakeError } from './errors/handshake-error.js'
import { StreamChannel } from './internal/channel/stream-channel.js'
import { unconfirmed } from './internal/handshake/confirmation.js'
import { deadline } from './internal/handshake/deadline.js'
import { type SettledSetup, settleSetup } from './internal/handshake/settle-setup.js'
import { shakeHands } from './internal/handshake/stream-handshake.js'
import { StreamIntake } from './internal/handshake/stream-intake.js'
import type { SealedChannel } from './sealed-channel.js'
import type { ByteStream } from './transports/byte-stream.js'

/**
 * Shakes hands over a stream, which is the channel's from then on. Resolves when each side has shown the other that it
 * has the keys and that it wants the peer; otherwise the stream is destroyed.
 * @throws BrokerOptionError before anything is sent; HandshakeError, IdentityError, or `signal.reason`
 */
export async function openChannel(stream: ByteStream, setup: ChannelSetup): Promise<SealedChannel> {
  setup.signal?.throwIfAborted()
  const settled = settleSetup(setup, 'blocks')
  const intake = new StreamIntake(stream)
  using limit = deadline(settled.timeoutMs, setup.signal)
  try {
    stream.start(intake)
    return await Promise.race([limit.over, open(settled, stream, intake)])
  } catch (error) {
    settled.handshake.wipe()
    intake.abort(error)
    if (intake.lingering !== undefined) void intake.lingering.then(() => stream.destroy())
    else {
      // A channel that waits for the peer's word ends, too.
      intake.fail(new Error('the handshake was given up'))
      stream.destroy()
    }
    const problem = HandshakeError.isInstance(error) ? error.problem : 'peer'
    settled.seal.metrics.count('pyisolate_channel_handshake_failures_total', { problem })
    throw error
  }
}

async function open(settled: SettledSetup, stream: ByteStream, intake: StreamIntake): Promise<SealedChannel> {
  const { remote, wroteLast } = await shakeHands(settled, stream, intake)
  const session = settled.handshake.session()
  const channel = new StreamChannel({ session, remote, stream, settled: settled.seal, expectsReady: wroteLast })
  intake.handOver(channel.reader)
  try {
    await channel.confirmed
  } catch (error) {
    throw unconfirmed(error)
  }
  return channel
}
