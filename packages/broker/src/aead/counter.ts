/** The counter of a nonce is its bytes 4 to 11, little-endian. */
const FIRST = 4
const END = 12

/** Adds `count` (below 2^32) to a nonce's counter. `false`: it would have passed 2^64 - 1, and is no counter any more. */
export function advance(nonce: Uint8Array, count: number): boolean {
  let carry = count
  for (let at = FIRST; at < END && carry > 0; at++) {
    const sum = nonce[at]! + (carry & 0xff)
    nonce[at] = sum & 0xff
    carry = (carry >>> 8) + (sum >>> 8)
  }
  return carry === 0
}

/** 2^64 - 1 is kept for making the next key (Noise, section 5.1), and never counts a message. */
export function isLast(nonce: Uint8Array): boolean {
  for (let at = FIRST; at < END; at++) if (nonce[at] !== 0xff) return false
  return true
}
