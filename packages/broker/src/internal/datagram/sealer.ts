import { ChannelError } from '../../errors/channel-error.js'
import { type FrameKind, writeBody } from '../channel/frame.js'
import type { CipherState } from '../noise/cipher-state.js'
import { BODY_AT, MAX_EPOCH, PacketKind, PER_EPOCH, SEALED_OVERHEAD, writeCounter } from './packet.js'

/** Seals datagrams, each with its counter, under keys that it leaves after so many of them or when it is told to. */
export class Sealer {
  readonly #cipher: CipherState
  readonly #perKey: number
  readonly #spans = Uint32Array.of(BODY_AT, 0)
  #epoch = 0
  frames = 0

  constructor(cipher: CipherState, perKey: number) {
    this.#cipher = cipher
    this.#perKey = Math.min(perKey, PER_EPOCH)
  }

  get rekeys(): number {
    return this.#epoch
  }

  /** Writes a whole packet to `packet`, which has room for it, and gives its length. @throws ChannelError `exhausted` */
  seal(packet: Uint8Array, kind: FrameKind, bytes: Uint8Array, padded: number): number {
    if (this.#cipher.used >= this.#perKey) this.rekey()
    packet[0] = PacketKind.sealed
    writeCounter(packet, this.#epoch, this.#cipher.used)
    this.#spans[1] = writeBody(packet, BODY_AT, kind, bytes, 0, bytes.length, padded)
    this.#cipher.sealMany(packet, this.#spans, 1)
    this.frames++
    return SEALED_OVERHEAD + padded
  }

  /** The next key, and the first counter that is its. */
  rekey(): void {
    if (this.#cipher.used === 0) return
    if (this.#epoch === MAX_EPOCH) throw new ChannelError('exhausted', 'no counter is left for another datagram')
    this.#cipher.skip(PER_EPOCH - this.#cipher.used)
    this.#cipher.rekey()
    this.#epoch++
  }

  wipe(): void {
    this.#cipher.wipe()
  }
}
