/** What a signer has said of a static key. */
export interface Identity {
  /** Whose key it is: 1 to 255 bytes of UTF-8. */
  readonly name: string
  /** The X25519 public key that this is about. */
  readonly key: Uint8Array
  /** From when, and until when, in whole seconds. */
  readonly notBefore: Date
  readonly notAfter: Date
  readonly signer: TrustedSigner
}

/**
 * A signer's public keys. With `mlDsa65`, both signatures are needed: a document with Ed25519's alone is refused, so
 * that who breaks one algorithm has won nothing.
 */
export interface TrustedSigner {
  /** 32 bytes (RFC 8032). */
  readonly ed25519: Uint8Array
  /** 1,952 bytes (FIPS 204). */
  readonly mlDsa65?: Uint8Array
}
