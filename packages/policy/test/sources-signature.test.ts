import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { signPolicy, verifyPolicy } from '../src/index.js'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const document = 'version: 1\nname: signed\n'

describe('a signed policy', () => {
  it('is known by its publisher’s key in each of its forms', () => {
    const line = signPolicy(document, 7, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    expect(line).toMatch(/^v1 7 [A-Za-z0-9+/]{86}==$/)
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    for (const key of [publicKey, pem, raw, new Uint8Array(raw)])
      expect(verifyPolicy(Buffer.from(document), `${line}\n`, key)).toMatchObject({ revision: 7 })
  })

  it('is what is documented: Ed25519 over the prefix, the revision and the digest', () => {
    // Made apart from the code, so that another publisher's program can be held to it. SHA-256 of `version: 1\n`.
    const digest = '09bfcc6a14b83e2192b8673677725c84883ee9cd0c70e45c9ec09daa8f2b2847'
    const mine = `v1 3 ${sign(null, Buffer.from(`pyisolate-policy-v1\n3\n${digest}\n`), privateKey).toString('base64')}`
    expect(verifyPolicy('version: 1\n', mine, publicKey)).toEqual({ revision: 3, sha256: digest })
  })

  const line = signPolicy(document, 7, privateKey)
  const signature = line.split(' ')[2]!
  const flipped = Buffer.from(signature, 'base64')
  flipped[3]! ^= 1
  it.each<[string, string, string]>([
    ['another document', `${document}#`, line],
    ['an emptied one', '', line],
    ['a higher revision', document, `v1 8 ${signature}`],
    ['a revision moved into the digest', document, `v1 70 ${signature}`],
    ['a flipped bit', document, `v1 7 ${flipped.toString('base64')}`],
    ['another key', document, signPolicy(document, 7, other.privateKey)],
    ['no signature', document, ''],
    ['zeros', document, `v1 7 ${Buffer.alloc(64).toString('base64')}`],
    ['a short signature', document, `v1 7 ${signature.slice(0, 40)}`],
    ['a revision of 0', document, `v1 0 ${signature}`],
    ['a leading zero', document, `v1 07 ${signature}`],
    ['a revision beyond 2^53', document, `v1 9007199254740993 ${signature}`],
    ['another version of the format', document, `v2 7 ${signature}`],
    ['two lines', document, `${line}\n${line}`],
    ['base64url', document, `v1 7 ${Buffer.alloc(64, 0xff).toString('base64url')}==`],
    [
      'a signature of the bare document',
      document,
      `v1 7 ${sign(null, Buffer.from(document), privateKey).toString('base64')}`,
    ],
  ])('is refused: %s', (_, text, given) => {
    expect(() => verifyPolicy(text, given, publicKey)).toThrow(
      expect.objectContaining({ code: 'ERR_PYISOLATE_POLICY_SOURCE', problem: 'signature' }),
    )
  })

  it('takes no other key, and no other revision', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const option = expect.objectContaining({ problem: 'option' })
    const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    for (const key of [
      rsa.publicKey,
      createPublicKey(rsa.privateKey),
      'no key',
      new Uint8Array(31),
      privatePem,
      privateKey,
    ])
      expect(() => verifyPolicy(document, line, key)).toThrow(option)
    for (const key of [rsa.privateKey, publicKey, 'no key']) expect(() => signPolicy(document, 1, key)).toThrow(option)
    for (const revision of [0, -1, 1.5, Number.NaN, 2 ** 53])
      expect(() => signPolicy(document, revision, privateKey)).toThrow(option)
  })
})
