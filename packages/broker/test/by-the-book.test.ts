import { createCipheriv, createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { describe, expect, it } from 'vitest'
import { KeyPair } from '../src/index.js'
import { Handshake } from '../src/internal/noise/handshake.js'
import { hex } from './support/hex.js'

/**
 * No vectors are published for `hfs` with ML-KEM-768. So the handshake is written down here once more, token by token, with
 * the X25519, SHA-256, HMAC and ChaCha20-Poly1305 of OpenSSL, and must come out byte by byte.
 */
const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte)
const secrets = { initiator: filled(1), responder: filled(2), ours: filled(3), theirs: filled(4) }
const keys = Object.fromEntries(
  Object.entries(secrets).map(([name, secret]) => [name, KeyPair.from(secret)]),
) as Record<keyof typeof secrets, KeyPair>
const kemSeed = filled(5, 64)
const kemMessage = filled(6)
const secretPsk = filled(7)
const prologue = new TextEncoder().encode('by the book')

const bytes = (...parts: readonly (string | Uint8Array)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)))

/** RFC 8410: the prefixes of an X25519 key in DER. */
function agree(secret: Uint8Array, publicKey: Uint8Array): Buffer {
  const privateKey = createPrivateKey({
    key: bytes(Buffer.from('302e020100300506032b656e04220420', 'hex'), secret),
    format: 'der',
    type: 'pkcs8',
  })
  const spki = bytes(Buffer.from('302a300506032b656e032100', 'hex'), publicKey)
  return diffieHellman({ privateKey, publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }) })
}

class Book {
  h: Buffer
  ck: Buffer
  k: Buffer = Buffer.alloc(0)
  n = 0

  constructor(name: string) {
    this.h = createHash('sha256').update(name).digest()
    this.ck = this.h
  }

  mixHash(data: Uint8Array): void {
    this.h = createHash('sha256').update(this.h).update(data).digest()
  }

  hkdf(material: Uint8Array, count: number): Buffer[] {
    const temporary = createHmac('sha256', this.ck).update(material).digest()
    const outputs: Buffer[] = []
    let last: Buffer = Buffer.alloc(0)
    for (let number = 1; number <= count; number++) {
      last = createHmac('sha256', temporary).update(last).update(Uint8Array.of(number)).digest()
      outputs.push(last)
    }
    return outputs
  }

  mixKey(material: Uint8Array): void {
    const [ck, k] = this.hkdf(material, 2)
    this.ck = ck!
    this.k = k!
    this.n = 0
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [ck, mixed, k] = this.hkdf(material, 3)
    this.ck = ck!
    this.mixHash(mixed!)
    this.k = k!
    this.n = 0
  }

  encryptAndHash(text: Uint8Array): Buffer {
    const nonce = Buffer.alloc(12)
    nonce.writeUInt32LE(this.n++, 4)
    const cipher = createCipheriv('chacha20-poly1305', this.k, nonce, { authTagLength: 16 })
    cipher.setAAD(this.h, { plaintextLength: text.length })
    const sealed = bytes(cipher.update(text), cipher.final(), cipher.getAuthTag())
    this.mixHash(sealed)
    return sealed
  }
}

/** IKhfs+psk2: `<- s`, then `-> e, es, e1, s, ss` and `<- e, ee, ekem1, se, psk`. */
function ikByTheBook(first: Uint8Array, second: Uint8Array) {
  const { initiator, responder, ours, theirs } = keys
  const kem = ml_kem768.keygen(kemSeed)
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(kem.publicKey, kemMessage)
  const book = new Book('Noise_IKhfs+psk2_25519+MLKEM768_ChaChaPoly_SHA256')
  book.mixHash(prologue)
  book.mixHash(responder.publicKey)
  const e = (publicKey: Uint8Array) => {
    book.mixHash(publicKey)
    book.mixKey(publicKey)
    return publicKey
  }
  const one = [e(ours.publicKey)]
  book.mixKey(agree(secrets.ours, responder.publicKey))
  one.push(book.encryptAndHash(kem.publicKey), book.encryptAndHash(initiator.publicKey))
  book.mixKey(agree(secrets.initiator, responder.publicKey))
  one.push(book.encryptAndHash(first))
  const two = [e(theirs.publicKey)]
  book.mixKey(agree(secrets.theirs, ours.publicKey))
  two.push(book.encryptAndHash(cipherText))
  book.mixKey(sharedSecret)
  book.mixKey(agree(secrets.theirs, initiator.publicKey))
  book.mixKeyAndHash(secretPsk)
  two.push(book.encryptAndHash(second))
  const [sending] = book.hkdf(Buffer.alloc(0), 2)
  const transport = new Book('')
  transport.k = sending!
  transport.h = Buffer.alloc(0)
  return { one: bytes(...one), two: bytes(...two), hash: book.h, sealed: transport.encryptAndHash(first) }
}

/** NNhfs: `-> e, e1` in clear, and `<- e, ee, ekem1`. */
function nnByTheBook(first: Uint8Array, second: Uint8Array) {
  const kem = ml_kem768.keygen(kemSeed)
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(kem.publicKey, kemMessage)
  const book = new Book('Noise_NNhfs_25519+MLKEM768_ChaChaPoly_SHA256')
  for (const part of [prologue, keys.ours.publicKey, kem.publicKey, first, keys.theirs.publicKey]) book.mixHash(part)
  book.mixKey(agree(secrets.theirs, keys.ours.publicKey))
  const ciphertext = book.encryptAndHash(cipherText)
  book.mixKey(sharedSecret)
  const two = bytes(keys.theirs.publicKey, ciphertext, book.encryptAndHash(second))
  return { one: bytes(keys.ours.publicKey, kem.publicKey, first), two, hash: book.h }
}

const source = (ephemeral: Uint8Array) => ({
  keyPair: () => KeyPair.from(ephemeral),
  kemSeed: () => Uint8Array.from(kemSeed),
  kemMessage: () => Uint8Array.from(kemMessage),
})

describe('the hybrid handshake comes out as it is written', () => {
  const [first, second] = [filled(8, 20), filled(9, 5)]

  it('IKhfs+psk2', () => {
    const shared = { pattern: 'IK', pq: true, prologue, psks: [{ place: 2, key: secretPsk }] } as const
    const remoteKey = keys.responder.publicKey
    const initiator = new Handshake(
      { ...shared, role: 'initiator', keys: keys.initiator, remoteKey },
      source(secrets.ours),
    )
    const responder = new Handshake({ ...shared, role: 'responder', keys: keys.responder }, source(secrets.theirs))
    const book = ikByTheBook(first, second)
    const one = initiator.writeMessage(first)
    expect(hex(one)).toBe(hex(book.one))
    expect(hex(responder.readMessage(one))).toBe(hex(first))
    const two = responder.writeMessage(second)
    expect(hex(two)).toBe(hex(book.two))
    expect(hex(initiator.readMessage(two))).toBe(hex(second))
    const session = initiator.session()
    expect(hex(session.handshakeHash)).toBe(hex(book.hash))
    expect(hex(session.send.encrypt(new Uint8Array(), first))).toBe(hex(book.sealed))
  })

  it('NNhfs', () => {
    const shared = { pattern: 'NN', pq: true, prologue } as const
    const initiator = new Handshake({ ...shared, role: 'initiator' }, source(secrets.ours))
    const responder = new Handshake({ ...shared, role: 'responder' }, source(secrets.theirs))
    const book = nnByTheBook(first, second)
    const one = initiator.writeMessage(first)
    expect(hex(one)).toBe(hex(book.one))
    responder.readMessage(one)
    expect(hex(responder.writeMessage(second))).toBe(hex(book.two))
    expect(hex(responder.session().handshakeHash)).toBe(hex(book.hash))
  })
})
