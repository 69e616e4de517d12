import { ed25519 } from '@noble/curves/ed25519.js'
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { IdentityError } from '../errors/identity-error.js'
import { concat, sameBytes } from '../internal/bytes.js'
import { CONTEXT, type Parts, readDocument } from '../internal/identity/layout.js'
import type { Identity, TrustedSigner } from './identity.js'

export interface IdentityExpectation {
  readonly signers: readonly TrustedSigner[]
  /** The key that the document has to be about, as the handshake proved it. */
  readonly key: Uint8Array
  /** Default now. */
  readonly at?: Date
}

/** What a document says, if one of the signers has signed just that. @throws IdentityError */
export function verifyIdentity(document: Uint8Array, { signers, key, at = new Date() }: IdentityExpectation): Identity {
  const parts = readDocument(document)
  const { identity } = parts
  if (!signers.some((signer) => isSigner(signer, identity.signer))) {
    throw new IdentityError('signer', 'it is not signed by anybody who is trusted')
  }
  checkSignatures(parts)
  if (at < identity.notBefore || at > identity.notAfter) throw new IdentityError('expired', 'it is not valid now')
  if (!sameBytes(identity.key, key)) throw new IdentityError('key', 'it is about another key')
  return Object.freeze(identity)
}

/** All keys of a signer, and no fewer: a document must not choose the algorithm that its forger has broken. */
function isSigner(trusted: TrustedSigner, signer: TrustedSigner): boolean {
  if (!sameBytes(trusted.ed25519, signer.ed25519)) return false
  if (trusted.mlDsa65 === undefined || signer.mlDsa65 === undefined) return trusted.mlDsa65 === signer.mlDsa65
  return sameBytes(trusted.mlDsa65, signer.mlDsa65)
}

function checkSignatures({ identity, body, ed25519Signature, mlDsaSignature }: Parts): void {
  const { signer } = identity
  const bySigner = ed25519.verify(ed25519Signature, concat(CONTEXT, body), signer.ed25519, { zip215: false })
  if (!bySigner) throw new IdentityError('signature', 'the Ed25519 signature is wrong')
  if (signer.mlDsa65 === undefined) return
  if (!ml_dsa65.verify(mlDsaSignature!, body, signer.mlDsa65, { context: CONTEXT })) {
    throw new IdentityError('signature', 'the ML-DSA-65 signature is wrong')
  }
}
