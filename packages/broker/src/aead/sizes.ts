/** Bytes that sealing adds: the tag (RFC 8439 section 2.8). */
export const TAG_BYTES = 16
export const KEY_BYTES = 32
export const NONCE_BYTES = 12
