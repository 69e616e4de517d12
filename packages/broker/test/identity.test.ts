import { describe, expect, it } from 'vitest'
import {
  type ChannelSetup,
  IdentityError,
  IdentitySigner,
  KeyPair,
  memoryStreamPair,
  openChannel,
  verifyIdentity,
} from '../src/index.js'
import { hex } from './support/hex.js'

const hour = 3_600_000
const problem = (name: string) => expect.objectContaining({ code: 'ERR_PYISOLATE_IDENTITY', problem: name })
const classic = IdentitySigner.generate()
const hybrid = IdentitySigner.generate({ pq: true })
const { publicKey: key } = KeyPair.generate()
const claims = { name: 'sandbox-7', key, notAfter: new Date(Date.now() + hour) }

describe.each([
  ['Ed25519', classic, 23 + 9 + 64 + 64],
  ['Ed25519 and ML-DSA-65', hybrid, 23 + 9 + 64 + 1952 + 64 + 3309],
])('a document signed with %s', (_, signer, length) => {
  const document = signer.sign(claims)
  const signers = [signer.publicKeys]

  it('says who the key belongs to', () => {
    expect(document).toHaveLength(length)
    const identity = verifyIdentity(document, { signers, key })
    expect(identity).toMatchObject({ name: 'sandbox-7', key, signer: signer.publicKeys })
    expect(identity.notAfter.getTime()).toBe(Math.floor(claims.notAfter.getTime() / 1000) * 1000)
    const again = IdentitySigner.from(signer.exportSeed())
    expect(hex(again.publicKeys.ed25519)).toBe(hex(signer.publicKeys.ed25519))
    expect(verifyIdentity(again.sign(claims), { signers, key }).name).toBe('sandbox-7')
  })

  it('is believed in no other form', () => {
    const step = length > 1000 ? 101 : 1
    for (let at = 0; at < document.length; at += step) {
      const changed = Uint8Array.from(document)
      changed[at]! ^= 1 << (at % 8)
      expect(() => verifyIdentity(changed, { signers, key }), `byte ${at}`).toThrow(IdentityError)
    }
    for (const cut of [0, 5, 23, length - 1]) {
      expect(() => verifyIdentity(document.subarray(0, cut), { signers, key })).toThrow(problem('malformed'))
    }
    const longer = Uint8Array.from([...document, 0])
    expect(() => verifyIdentity(longer, { signers, key })).toThrow(problem('malformed'))
  })

  it('is believed only of its signer, for its key, in its time', () => {
    const other = IdentitySigner.generate({ pq: length > 1000 }).publicKeys
    const { publicKey } = KeyPair.generate()
    expect(() => verifyIdentity(document, { signers: [], key })).toThrow(problem('signer'))
    expect(() => verifyIdentity(document, { signers: [other], key })).toThrow(problem('signer'))
    expect(() => verifyIdentity(document, { signers, key: publicKey })).toThrow(problem('key'))
    const late = new Date(Date.now() + 2 * hour)
    expect(() => verifyIdentity(document, { signers, key, at: late })).toThrow(problem('expired'))
    const early = new Date(Date.now() - hour)
    expect(() => verifyIdentity(document, { signers, key, at: early })).toThrow(problem('expired'))
  })
})

describe('a signer with both algorithms', () => {
  const { ed25519, mlDsa65 } = hybrid.publicKeys

  it('is not believed with one of them, whatever the document says', () => {
    // Who has broken Ed25519 has its seed: it is the first half.
    const broken = IdentitySigner.from(hybrid.exportSeed().subarray(0, 32))
    expect(hex(broken.publicKeys.ed25519)).toBe(hex(ed25519))
    expect(() => verifyIdentity(broken.sign(claims), { signers: [hybrid.publicKeys], key })).toThrow(problem('signer'))
    expect(() => verifyIdentity(hybrid.sign(claims), { signers: [{ ed25519 }], key })).toThrow(problem('signer'))
  })

  it.each([
    ['Ed25519', 64 + 3309, 'signature'],
    ['ML-DSA-65', 3309, 'signature'],
  ])('needs the signature of %s', (_, fromEnd, expected) => {
    const document = hybrid.sign(claims)
    document[document.length - fromEnd]! ^= 1
    expect(mlDsa65).toHaveLength(1952)
    expect(() => verifyIdentity(document, { signers: [hybrid.publicKeys], key })).toThrow(problem(expected))
  })
})

describe('claims', () => {
  it.each([
    ['name', { ...claims, name: '' }],
    ['name', { ...claims, name: 'é'.repeat(128) }],
    ['key', { ...claims, key: new Uint8Array(31) }],
    ['notAfter', { ...claims, notAfter: new Date(0) }],
    ['notAfter', { ...claims, notAfter: new Date(Number.NaN) }],
    ['notBefore', { ...claims, notBefore: new Date(-1) }],
  ])('%s are checked', (option, wrong) => {
    expect(() => classic.sign(wrong)).toThrow(expect.objectContaining({ option }))
  })

  it('are not signed by a signer that is wiped', () => {
    const signer = IdentitySigner.generate()
    signer[Symbol.dispose]()
    expect(() => signer.sign(claims)).toThrow(expect.objectContaining({ option: 'signer' }))
    expect(() => IdentitySigner.from(new Uint8Array(33))).toThrow(expect.objectContaining({ option: 'seed' }))
  })
})

describe('in a handshake', () => {
  const [a, b] = [KeyPair.generate(), KeyPair.generate()]
  const documentOf = (name: string, pair: KeyPair, signer = hybrid) =>
    signer.sign({ ...claims, name, key: pair.publicKey })
  const peer = { signers: [hybrid.publicKeys] }

  async function open(first: Partial<ChannelSetup>, second: Partial<ChannelSetup>, pattern: 'XX' | 'IK' = 'XX') {
    const [one, other] = memoryStreamPair()
    const remote = pattern === 'IK' ? { remoteKey: b.publicKey } : {}
    const results = await Promise.allSettled([
      openChannel(one, { role: 'initiator', pattern, keys: a, peer, ...remote, ...first }),
      openChannel(other, { role: 'responder', pattern, keys: b, peer, ...second }),
    ])
    return results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason))
  }

  it.each(['XX', 'IK'] as const)('%s: each learns who the other is', async (pattern) => {
    const [ours, theirs] = await open({ identity: documentOf('a', a) }, { identity: documentOf('b', b) }, pattern)
    expect([ours.remote.identity.name, theirs.remote.identity.name]).toEqual(['b', 'a'])
    await ours.close()
  })

  it.each([
    ['none', undefined, 'missing'],
    ['one of another key', documentOf('b', a), 'key'],
    ['one by another signer', documentOf('b', b, classic), 'signer'],
    ['nonsense', new Uint8Array(200), 'malformed'],
  ])('a responder with %s is refused before the initiator says who it is', async (_, identity, expected) => {
    const [ours, theirs] = await open({ identity: documentOf('a', a) }, identity ? { identity } : {})
    expect(ours).toEqual(problem(expected))
    expect(theirs).toMatchObject({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'transport' })
  })

  it('an initiator that is refused gets no channel', async () => {
    const [ours, theirs] = await open({}, { identity: documentOf('b', b) })
    expect(theirs).toEqual(problem('missing'))
    expect(ours).toMatchObject({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'transport' })
  })

  it('a document that nobody asked for is not believed', async () => {
    const anyone = { peer: 'anyone' } as const
    const [ours, theirs] = await open(
      { ...anyone, identity: documentOf('a', a) },
      { ...anyone, identity: documentOf('b', b) },
    )
    expect([ours.remote.identity, theirs.remote.identity]).toEqual([undefined, undefined])
    await ours.close()
  })
})
