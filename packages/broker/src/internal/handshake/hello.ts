import { HandshakeError } from '../../errors/handshake-error.js'

const MAGIC = new TextEncoder().encode('PYI1')
const MAX_NAME = 128

/** What an initiator says first: four letters, and the name of the protocol it insists on. Part of the prologue. */
export interface Hello {
  readonly name: string
  readonly bytes: Uint8Array
}

export const HELLO_START = MAGIC.length + 1

export function helloOf(name: string): Hello {
  const text = new TextEncoder().encode(name)
  const bytes = new Uint8Array(HELLO_START + text.length)
  bytes.set(MAGIC)
  bytes[MAGIC.length] = text.length
  bytes.set(text, HELLO_START)
  return { name, bytes }
}

/** The length of the name that follows. @throws HandshakeError `message` */
export function readHelloStart(bytes: Uint8Array): number {
  const length = bytes[MAGIC.length]!
  if (!MAGIC.every((byte, at) => byte === bytes[at]) || length === 0 || length > MAX_NAME) {
    throw new HandshakeError('message', 'the peer does not speak this protocol')
  }
  return length
}

/** A name that isn't ours: nobody falls back to the weaker one. What the peer says here is not authenticated. */
export function mismatch(ours: string, theirs: string): HandshakeError {
  const isHybrid = (name: string) => /^Noise_[A-Z]+hfs/.test(name)
  if (isHybrid(ours) && !isHybrid(theirs)) return new HandshakeError('pq', 'the peer has no hybrid key agreement')
  if (isHybrid(theirs) && !isHybrid(ours)) return new HandshakeError('pq', 'the peer insists on hybrid key agreement')
  return new HandshakeError('protocol', `this side speaks ${ours}, and the peer does not`)
}

export const readName = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)
