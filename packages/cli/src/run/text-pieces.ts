import { isUtf8 } from 'node:buffer'

export type Piece = { readonly text: string } | { readonly base64: string }

/** Bytes as text, as they come: a character cut in two waits for its rest, and what isn't UTF-8 stays bytes. */
export class TextPieces {
  #rest: Buffer = Buffer.alloc(0)

  push(bytes: Uint8Array): Piece[] {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : Buffer.from(bytes)
    const end = all.length - cutBytes(all)
    this.#rest = all.subarray(end)
    return end > 0 ? [piece(all.subarray(0, end))] : []
  }

  /** What no rest came for. */
  end(): Piece[] {
    const rest = this.#rest
    this.#rest = Buffer.alloc(0)
    return rest.length > 0 ? [piece(rest)] : []
  }
}

function piece(bytes: Buffer): Piece {
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') }
}

/** Length of the character at the end that is begun and not complete (RFC 3629, section 3). */
function cutBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? back : 0
  }
  return 0
}
