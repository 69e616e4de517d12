import { createHash, createPrivateKey, createPublicKey, KeyObject, sign, verify } from 'node:crypto'
import { PolicySourceError } from '../policy-source-error.js'

/** Ed25519 (RFC 8032): PEM, a `KeyObject`, or for a public key its 32 bytes. */
export type PublicKey = string | KeyObject | Uint8Array
export type PrivateKey = string | KeyObject

export interface Signed {
  readonly revision: number
  /** SHA-256 of the document, in hex. */
  readonly sha256: string
}

const form = /^v1 ([1-9]\d{0,15}) ([A-Za-z0-9+/]{86}==)$/

/**
 * Signs a policy as `remotePolicy` wants it.
 * @param document the exact bytes that will be served
 * @param revision from 1 to 2^53 - 1, above every one that was ever served under this URL
 * @returns one line, `v1 <revision> <signature in base64>`, for the file beside the document or the answer's header
 * @throws PolicySourceError for a key that is no Ed25519 private key, or a revision out of range
 */
export function signPolicy(document: string | Uint8Array, revision: number, privateKey: PrivateKey): string {
  if (!Number.isSafeInteger(revision) || revision < 1)
    throw new PolicySourceError('option', 'signPolicy', `the revision is ${revision}`, {
      expected: 'a whole number from 1 to 2^53 - 1',
    })
  const key = readKey('private', () => (privateKey instanceof KeyObject ? privateKey : createPrivateKey(privateKey)))
  const signature = sign(null, signedMessage(revision, digest(document)), key)
  return `v1 ${revision} ${signature.toString('base64')}`
}

/**
 * What a signature line says of these bytes.
 * @throws PolicySourceError `signature`: it can't be read, or isn't the key's for them; `option`: no Ed25519 public key
 */
export function verifyPolicy(
  document: string | Uint8Array,
  line: string,
  publicKey: PublicKey,
  from = 'verifyPolicy',
): Signed {
  const [, digits, signature] = form.exec(line.trim()) ?? []
  const revision = Number(digits)
  if (signature === undefined || !Number.isSafeInteger(revision))
    throw new PolicySourceError('signature', from, "the signature can't be read", {
      expected: "'v1 <revision> <64 bytes in base64>'",
    })
  const sha256 = digest(document)
  if (!verify(null, signedMessage(revision, sha256), readPublicKey(publicKey, from), Buffer.from(signature, 'base64')))
    throw new PolicySourceError('signature', from, `the signature of revision ${revision} doesn't fit the document`, {
      expected: "the publisher's, over these very bytes",
    })
  return { revision, sha256 }
}

/** @throws PolicySourceError */
export function readPublicKey(key: PublicKey, from: string): KeyObject {
  return readKey(
    'public',
    () => {
      if (key instanceof KeyObject) return key
      if (typeof key !== 'string') {
        const x = Buffer.from(key).toString('base64url')
        return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      }
      // Node would take the public half of it; a private key has no business here, so say so.
      if (key.includes('PRIVATE KEY')) return createPrivateKey(key)
      return createPublicKey(key)
    },
    from,
  )
}

/** The revision is under the signature, so that nobody can serve an old document as a new one. */
function signedMessage(revision: number, sha256: string): Buffer {
  return Buffer.from(`pyisolate-policy-v1\n${revision}\n${sha256}\n`)
}

function digest(document: string | Uint8Array): string {
  return createHash('sha256').update(document).digest('hex')
}

function readKey(type: 'public' | 'private', read: () => KeyObject, from = 'signPolicy'): KeyObject {
  let key: KeyObject | undefined
  let cause: unknown
  try {
    key = read()
  } catch (error) {
    cause = error
  }
  if (key?.type === type && key.asymmetricKeyType === 'ed25519') return key
  const what = key === undefined ? "the key can't be read" : `the key is ${key.asymmetricKeyType}, ${key.type}`
  throw new PolicySourceError('option', from, what, { expected: `a ${type} Ed25519 key`, cause })
}
