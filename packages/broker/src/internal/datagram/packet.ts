import { TAG_BYTES } from '../../aead/sizes.js'
import { BODY_HEADER, MIN_BODY } from '../channel/frame.js'

/**
 * A datagram begins with what it is. A sealed one goes on with its counter (8 bytes, big-endian) and a body as in a
 * stream's frame; a handshake message with its number (1) and, before the first, what an initiator says first; a
 * refusal with what an initiator would say first for the protocol that is wanted.
 *
 * The upper 48 bits of a counter number the key: each is made of the one before (Noise, section 11.3), and good for 2^16
 * datagrams at most. A sender goes to the next one when it likes, and leaves the counters between out.
 */
export const PacketKind = Object.freeze({ sealed: 0, handshake: 1, refusal: 2 } as const)

export const COUNTER_AT = 1
export const BODY_AT = 9
export const HANDSHAKE_AT = 2
export const PER_EPOCH = 65_536
export const MIN_SEALED = BODY_AT + MIN_BODY
export const SEALED_OVERHEAD = BODY_AT + BODY_HEADER + TAG_BYTES
/** Beyond it, numbers are no whole numbers any more. */
export const MAX_EPOCH = 2 ** 37

export function writeCounter(packet: Uint8Array, epoch: number, index: number): void {
  const high = Math.floor(epoch / PER_EPOCH)
  const low = epoch % PER_EPOCH
  for (let byte = 0; byte < 4; byte++) packet[COUNTER_AT + byte] = (high / 2 ** (24 - 8 * byte)) & 0xff
  packet[COUNTER_AT + 4] = low >>> 8
  packet[COUNTER_AT + 5] = low & 0xff
  packet[COUNTER_AT + 6] = index >>> 8
  packet[COUNTER_AT + 7] = index & 0xff
}

/** The number of the key. */
export function epochOf(packet: Uint8Array): number {
  let epoch = 0
  for (let byte = 0; byte < 6; byte++) epoch = epoch * 256 + packet[COUNTER_AT + byte]!
  return epoch
}

/** Which datagram it is of those under that key. */
export function indexOf(packet: Uint8Array): number {
  return (packet[COUNTER_AT + 6]! << 8) | packet[COUNTER_AT + 7]!
}

/** The counter of the packet as a nonce has it: little-endian. */
export function writeNonce(packet: Uint8Array, nonce: Uint8Array): void {
  for (let byte = 0; byte < 8; byte++) nonce[4 + byte] = packet[COUNTER_AT + 7 - byte]!
}
