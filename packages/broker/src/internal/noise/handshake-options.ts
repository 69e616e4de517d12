import type { Aead } from '@pyisolate/interface'
import { nobleAead } from '../../aead/noble-aead.js'
import { BrokerOptionError } from '../../errors/broker-option-error.js'
import { NO_BYTES, wipe } from '../bytes.js'
import type { HashName } from './hash.js'
import { DH_BYTES, KeyPair } from './key-pair.js'
import type { HandshakeOptions } from './options.js'
import { isPatternName, type Pattern, type PatternName, patternOf } from './patterns.js'
import { protocolName } from './protocol-name.js'

const PSK_BYTES = 32

/** Options that have been checked against each other, with copies of what they hold. */
export interface Settled {
  readonly role: 'initiator' | 'responder'
  readonly pattern: Pattern
  readonly protocol: string
  readonly hash: HashName
  readonly aead: Aead
  readonly prologue: Uint8Array
  readonly keys: KeyPair | undefined
  readonly remoteKey: Uint8Array | undefined
  readonly hasPsk: boolean
  /** The next pre-shared key, in the order of their places. */
  takePsk(): Uint8Array
  wipe(): void
}

/** @throws BrokerOptionError */
export function settle(options: HandshakeOptions): Settled {
  const { role, pattern: name, hash = 'SHA256', pq = false, keys, remoteKey, aead = nobleAead } = options
  if (role !== 'initiator' && role !== 'responder') throw new BrokerOptionError('role', 'initiator or responder')
  if (!isPatternName(name)) throw new BrokerOptionError('pattern', 'NN, KK, IK or XX')
  if (hash !== 'SHA256' && hash !== 'BLAKE2s') throw new BrokerOptionError('hash', 'SHA256 or BLAKE2s')
  if (typeof pq !== 'boolean') throw new BrokerOptionError('pq', 'true or false')
  const psks = settlePsks(options.psks ?? [])
  const pskPlaces = psks.map(({ place }) => place)
  const pattern = patternOf(name, pq, pskPlaces)
  checkKeys(name, role, keys, remoteKey)
  let taken = 0
  return {
    role,
    pattern,
    protocol: protocolName({ pattern: name, hash, pq, pskPlaces }),
    hash,
    aead,
    prologue: bytesOption('prologue', options.prologue ?? NO_BYTES),
    keys,
    remoteKey: remoteKey && Uint8Array.from(remoteKey),
    hasPsk: psks.length > 0,
    takePsk: () => psks[taken++]!.key,
    wipe: () => wipe(...psks.map(({ key }) => key)),
  }
}

function settlePsks(psks: NonNullable<HandshakeOptions['psks']>) {
  const settled = psks.map(({ place, key }) => ({ place, key: bytesOption('psks', key) }))
  if (settled.some(({ key }) => key.length !== PSK_BYTES)) throw new BrokerOptionError('psks', 'keys of 32 bytes')
  if (new Set(psks.map(({ place }) => place)).size < psks.length)
    throw new BrokerOptionError('psks', 'one key for a place')
  return settled.sort((a, b) => a.place - b.place)
}

/** A key where none is expected is refused, too: whoever gives it believes that it is checked. */
function checkKeys(name: PatternName, role: string, keys: unknown, remoteKey: unknown): void {
  if ((name !== 'NN') !== keys instanceof KeyPair) {
    throw new BrokerOptionError('keys', name === 'NN' ? 'none in NN' : `a key pair in ${name}`)
  }
  const known = name === 'KK' || (name === 'IK' && role === 'initiator')
  const valid = known ? remoteKey instanceof Uint8Array && remoteKey.length === DH_BYTES : remoteKey === undefined
  if (valid) return
  throw new BrokerOptionError('remoteKey', known ? `${DH_BYTES} bytes` : `none for the ${role} of ${name}`)
}

function bytesOption(option: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new BrokerOptionError(option, 'bytes')
  return Uint8Array.from(value)
}
