import { TAG_BYTES } from '../../aead/sizes.js'

/**
 * On a stream a frame is the length of its body (two bytes, big-endian) and the body, which is sealed:
 *
 *     kind (1) | length of the payload (2, big-endian) | payload | zeros | tag (16)
 *
 * A length of zero stands for no frame: what follows is sealed with the next key. In a datagram the body follows the
 * counter (8 bytes, big-endian).
 */
export const FRAME_HEADER = 2
export const BODY_HEADER = 3
/** Noise, section 3: a transport message has at most so many bytes. */
export const MAX_BODY = 65_535
export const MIN_BODY = BODY_HEADER + TAG_BYTES
export const MAX_PAYLOAD = MAX_BODY - MIN_BODY
export const MAX_FRAME = FRAME_HEADER + MAX_BODY

export const FrameKind = Object.freeze({
  /** A message, or the end of one that came in parts. */
  message: 0,
  /** A part of a message, with more to follow. */
  part: 1,
  /** The sender has nothing more to say. The last frame. */
  close: 2,
  /** The first frame of who read the last handshake message: it has the keys, and wants the peer. */
  ready: 3,
} as const)
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

/** Writes an unsealed body for `bytes[from, to)` at `at`, padded to `padded` bytes; gives the length with its tag. */
export function writeBody(
  buffer: Uint8Array,
  at: number,
  kind: FrameKind,
  bytes: Uint8Array,
  from: number,
  to: number,
  padded: number,
): number {
  const length = to - from
  buffer[at] = kind
  buffer[at + 1] = length >>> 8
  buffer[at + 2] = length & 0xff
  const start = at + BODY_HEADER
  if (length === bytes.length) buffer.set(bytes, start)
  else if (length > 0) buffer.set(bytes.subarray(from, to), start)
  if (padded > length) buffer.fill(0, start + length, start + padded)
  return BODY_HEADER + padded + TAG_BYTES
}

/** The payload's length, once a body is opened; -1 if it is longer than the body, or the padding isn't zeros. */
export function payloadLength(buffer: Uint8Array, at: number, sealedLength: number): number {
  const length = (buffer[at + 1]! << 8) | buffer[at + 2]!
  const room = sealedLength - MIN_BODY
  if (length > room) return -1
  let padding = 0
  for (let i = at + BODY_HEADER + length; i < at + BODY_HEADER + room; i++) padding |= buffer[i]!
  return padding === 0 ? length : -1
}
