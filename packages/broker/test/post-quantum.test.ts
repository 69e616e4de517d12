import { shake128 } from '@noble/hashes/sha3.js'
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js'
import { describe, expect, it } from 'vitest'
import { encapsulate, KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, KemKeyPair } from '../src/internal/noise/kem.js'
import { hex } from './support/hex.js'

/**
 * Published known answers over many pseudo-random cases: SHAKE128 of nothing gives every input, SHAKE128 of every output
 * is compared. ML-KEM: `TestAccumulated` of Go's crypto/mlkem; ML-DSA: CCTV's accumulated vectors; both for 100 cases.
 */
describe('ML-KEM-768', () => {
  it('gives the known answers, also for ciphertexts that nobody made', () => {
    const input = shake128.create({})
    const output = shake128.create({})
    for (let round = 0; round < 100; round++) {
      const pair = new KemKeyPair(input.xof(64))
      const { ciphertext, secret } = encapsulate(pair.publicKey, input.xof(32))
      output.update(pair.publicKey).update(ciphertext).update(secret)
      expect(hex(pair.decapsulate(ciphertext))).toBe(hex(secret))
      output.update(pair.decapsulate(input.xof(KEM_CIPHERTEXT_BYTES)))
      pair.wipe()
      expect(() => pair.decapsulate(ciphertext)).toThrow(expect.objectContaining({ problem: 'order' }))
    }
    expect(hex(output.xof(32))).toBe('1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415')
  })

  it('refuses keys that FIPS 203 section 7.2 has refused', () => {
    const pair = new KemKeyPair()
    expect(pair.publicKey).toHaveLength(KEM_PUBLIC_BYTES)
    const refused = expect.objectContaining({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'point' })
    expect(() => encapsulate(pair.publicKey.slice(1))).toThrow(refused)
    const beyondModulus = Uint8Array.from(pair.publicKey)
    beyondModulus.set([0xff, 0xff, 0xff], 0)
    expect(() => encapsulate(beyondModulus)).toThrow(refused)
    expect(() => pair.decapsulate(new Uint8Array(KEM_CIPHERTEXT_BYTES - 1))).toThrow(
      expect.objectContaining({ problem: 'message' }),
    )
  })
})

describe('ML-DSA-65', () => {
  it('gives the known answers', () => {
    const input = shake128.create({})
    const output = shake128.create({})
    const nothing = new Uint8Array()
    for (let round = 0; round < 100; round++) {
      const { publicKey, secretKey } = ml_dsa65.keygen(input.xof(32))
      const signature = ml_dsa65.sign(nothing, secretKey, { extraEntropy: false })
      output.update(publicKey).update(signature)
    }
    expect(hex(output.xof(32))).toBe('8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199')
  }, 60_000)
})
