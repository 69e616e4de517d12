import { IdentityError } from '../../errors/identity-error.js'
import type { Identity, TrustedSigner } from '../../identity/identity.js'
import { concat } from '../bytes.js'

/**
 * An identity document, integers big-endian:
 *
 *     "PYID" | version 1 (1) | scheme (1) | notBefore, notAfter: seconds since 1970 (8 each) | length of the name (1) | name |
 *     static key (32) | Ed25519 key (32) | ML-DSA-65 key (1952, scheme 2) | Ed25519 signature (64) |
 *     ML-DSA-65 signature (3309, scheme 2)
 *
 * Both signatures are over everything before them, behind `CONTEXT` (for ML-DSA as its context string). There is one way
 * to write a document, and no other is read.
 */
export const CONTEXT = new TextEncoder().encode('pyisolate identity v1')
const MAGIC = new TextEncoder().encode('PYID')
const VERSION = 1
const HEAD = 4 + 1 + 1 + 8 + 8 + 1
const KEY = 32
export const ED25519_SIGNATURE = 64
export const ML_DSA_KEY = 1952
export const ML_DSA_SIGNATURE = 3309

export interface Parts {
  readonly identity: Identity
  /** What is signed. */
  readonly body: Uint8Array
  readonly ed25519Signature: Uint8Array
  readonly mlDsaSignature: Uint8Array | undefined
}

export function writeBody({ name, key, notBefore, notAfter, signer }: Identity): Uint8Array {
  const text = new TextEncoder().encode(name)
  const head = new Uint8Array(HEAD)
  const view = new DataView(head.buffer)
  head.set(MAGIC)
  view.setUint8(4, VERSION)
  view.setUint8(5, signer.mlDsa65 ? 2 : 1)
  view.setBigUint64(6, BigInt(notBefore.getTime() / 1000))
  view.setBigUint64(14, BigInt(notAfter.getTime() / 1000))
  view.setUint8(22, text.length)
  return concat(head, text, key, signer.ed25519, ...(signer.mlDsa65 ? [signer.mlDsa65] : []))
}

/** @throws IdentityError `malformed` */
export function readDocument(document: Uint8Array): Parts {
  const malformed = (what: string) => new IdentityError('malformed', `the document ${what}`)
  if (document.length < HEAD || !MAGIC.every((byte, at) => byte === document[at])) throw malformed('is none')
  const view = new DataView(document.buffer, document.byteOffset, document.byteLength)
  const scheme = view.getUint8(5)
  if (view.getUint8(4) !== VERSION || (scheme !== 1 && scheme !== 2)) throw malformed('is of an unknown version')
  const hybrid = scheme === 2
  const nameEnd = HEAD + view.getUint8(22)
  const bodyEnd = nameEnd + 2 * KEY + (hybrid ? ML_DSA_KEY : 0)
  const end = bodyEnd + ED25519_SIGNATURE + (hybrid ? ML_DSA_SIGNATURE : 0)
  if (nameEnd === HEAD || document.length !== end) throw malformed('has another length than it says')
  const signer: TrustedSigner = {
    ed25519: document.slice(nameEnd + KEY, nameEnd + 2 * KEY),
    ...(hybrid ? { mlDsa65: document.slice(nameEnd + 2 * KEY, bodyEnd) } : {}),
  }
  const identity: Identity = {
    name: readText(document.subarray(HEAD, nameEnd), malformed),
    key: document.slice(nameEnd, nameEnd + KEY),
    notBefore: readDate(view, 6, malformed),
    notAfter: readDate(view, 14, malformed),
    signer,
  }
  return {
    identity,
    body: document.slice(0, bodyEnd),
    ed25519Signature: document.slice(bodyEnd, bodyEnd + ED25519_SIGNATURE),
    mlDsaSignature: hybrid ? document.slice(bodyEnd + ED25519_SIGNATURE) : undefined,
  }
}

type Malformed = (what: string) => IdentityError

function readText(bytes: Uint8Array, malformed: Malformed): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw malformed('has a name that is no text')
  }
}

function readDate(view: DataView, at: number, malformed: Malformed): Date {
  const date = new Date(Number(view.getBigUint64(at)) * 1000)
  if (Number.isNaN(date.getTime())) throw malformed('has a time beyond all calendars')
  return date
}
