import type { Padding } from '../../channel-options.js'
import type { ChannelSetup, PeerRule } from '../../channel-setup.js'
import { BrokerOptionError } from '../../errors/broker-option-error.js'
import { concat, NO_BYTES } from '../bytes.js'
import { type SettledSeal, settleSeal } from '../channel/settle-options.js'
import { Handshake } from '../noise/handshake.js'
import { DH_BYTES } from '../noise/key-pair.js'
import { type Hello, helloOf } from './hello.js'

export interface SettledSetup {
  readonly handshake: Handshake
  readonly hello: Hello
  readonly initiator: boolean
  readonly peer: Exclude<PeerRule, 'anyone'> | undefined
  readonly identity: Uint8Array
  readonly timeoutMs: number
  readonly seal: SettledSeal
}

/** Checks everything before the first byte is sent. `usual`: the padding where none is given. @throws BrokerOptionError */
export function settleSetup(setup: ChannelSetup, usual: Padding): SettledSetup {
  const seal = settleSeal(setup, usual)
  const peer = settlePeer(setup)
  const { handshakeTimeoutMs: timeoutMs = 10_000, identity = NO_BYTES } = setup
  if (!(timeoutMs > 0 && timeoutMs < 2 ** 31)) throw new BrokerOptionError('handshakeTimeoutMs', '1 to 2147483647')
  if (identity.length > 0 && setup.pattern === 'NN')
    throw new BrokerOptionError('identity', 'none in NN, which has no keys')
  // Made twice, as the name is part of what both sides must agree on.
  const { protocol } = dispose(new Handshake(setup))
  const hello = helloOf(protocol)
  const handshake = new Handshake({ ...setup, prologue: concat(hello.bytes, setup.prologue ?? NO_BYTES) })
  return { handshake, hello, initiator: setup.role === 'initiator', peer, identity, timeoutMs, seal }
}

function dispose(handshake: Handshake): Handshake {
  handshake.wipe()
  return handshake
}

function settlePeer({ peer, pattern, role, psks }: ChannelSetup): SettledSetup['peer'] {
  const known = pattern === 'KK' || (pattern === 'IK' && role === 'initiator') || (pattern === 'NN' && psks?.length)
  if (peer === undefined) {
    if (known) return undefined
    throw new BrokerOptionError('peer', 'the keys or the signers of wanted peers, or anyone')
  }
  if (peer === 'anyone') return undefined
  const { keys, signers } = peer
  if (pattern === 'NN') throw new BrokerOptionError('peer', 'anyone in NN, which has no keys')
  if (keys === undefined && signers === undefined) throw new BrokerOptionError('peer', 'keys or signers')
  if (keys?.some((key) => key.length !== DH_BYTES))
    throw new BrokerOptionError('peer.keys', `keys of ${DH_BYTES} bytes`)
  return peer
}
