import type { DatagramSetup } from './datagram-setup.js'
import { BrokerOptionError } from './errors/broker-option-error.js'
import { HandshakeError } from './errors/handshake-error.js'
import { DatagramChannel } from './internal/datagram/datagram-channel.js'
import { DatagramHandshake } from './internal/datagram/datagram-handshake.js'
import { unconfirmed } from './internal/handshake/confirmation.js'
import { deadline } from './internal/handshake/deadline.js'
import { settleSetup } from './internal/handshake/settle-setup.js'
import type { SealedChannel } from './sealed-channel.js'
import type { Datagrams } from './transports/datagrams.js'

/**
 * The same as `openChannel` over datagrams, of which each carries a message: whole, once or not at all, and in whatever
 * order they come. Messages of the handshake are repeated until they are answered. What the reader doesn't take in time
 * is dropped and counted, as datagrams can't be held back. A close may be lost, too.
 * @throws BrokerOptionError before anything is sent; HandshakeError, IdentityError, or `signal.reason`
 */
export async function openDatagramChannel(datagrams: Datagrams, setup: DatagramSetup): Promise<SealedChannel> {
  setup.signal?.throwIfAborted()
  const { refused = 'end', window = 1024 } = setup
  if (refused !== 'end' && refused !== 'drop') throw new BrokerOptionError('refused', 'end or drop')
  if (!Number.isInteger(window) || window < 32 || window > 65_536) throw new BrokerOptionError('window', '32 to 65536')
  // What is padded may be too long for the way.
  const settled = settleSetup(setup, 1)
  const handshake = new DatagramHandshake(settled, datagrams)
  using limit = deadline(settled.timeoutMs, setup.signal)
  const open = async () => {
    const remote = await handshake.run()
    const channel: DatagramChannel = new DatagramChannel({
      session: settled.handshake.session(),
      remote,
      datagrams,
      settled: settled.seal,
      window,
      refused,
      onHandshake: (packet) => {
        if (handshake.isLastOfPeer(packet)) channel.sayReady()
      },
    })
    handshake.handOver(channel.reader)
    if (!handshake.wroteLast) {
      channel.sayReady()
      return channel
    }
    await channel.confirmed.catch((error: unknown) => {
      throw unconfirmed(error)
    })
    handshake.stop()
    return channel
  }
  try {
    datagrams.start(handshake)
    return await Promise.race([limit.over, open()])
  } catch (error) {
    handshake.abort(error)
    handshake.fail(new Error('the handshake was given up'))
    settled.handshake.wipe()
    datagrams.close()
    const problem = HandshakeError.isInstance(error) ? error.problem : 'peer'
    settled.seal.metrics.count('pyisolate_channel_handshake_failures_total', { problem })
    throw error
  }
}
