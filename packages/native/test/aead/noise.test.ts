import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

import { addon } from '../support/fake.js'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (from: Uint8Array) => Buffer.from(from).toString('hex')

interface Exchange {
  readonly tcId: number
  readonly public: string
  readonly private: string
  readonly shared: string
  readonly flags: readonly string[]
}

it("agrees as Wycheproof's X25519 vectors say, and on no secret that everybody has", () => {
  const tests: Exchange[] = JSON.parse(
    readFileSync(new URL('../vectors/wycheproof-x25519.json', import.meta.url), 'utf8'),
  )
  expect(tests).toHaveLength(518)
  let refused = 0
  for (const { tcId, shared, flags, ...keys } of tests) {
    const agreed = addon.agree(bytes(keys.private), bytes(keys.public))
    if (flags.includes('ZeroSharedSecret')) refused++
    expect(agreed && hex(agreed), `test ${tcId}`).toBe(flags.includes('ZeroSharedSecret') ? undefined : shared)
  }
  expect(refused).toBeGreaterThan(10)
})

/** Noise_NN_25519_ChaChaPoly_SHA256 with empty payloads, by the text of sections 5 and 7.4, on `node:crypto`. */
function noise(prologue: Uint8Array, hello: Uint8Array, theirs: Uint8Array, secret: Uint8Array) {
  const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
  const mac = (key: Uint8Array, ...parts: Uint8Array[]) =>
    createHmac('sha256', key).update(Buffer.concat(parts)).digest()
  const hkdf = (chain: Uint8Array, input: Uint8Array) => {
    const temporary = mac(chain, input)
    const first = mac(temporary, Uint8Array.of(1))
    return [first, mac(temporary, first, Uint8Array.of(2))] as const
  }
  const name = Buffer.from('Noise_NN_25519_ChaChaPoly_SHA256')
  let hash = sha(name, prologue)
  for (const part of [hello, new Uint8Array(0), theirs]) hash = sha(hash, part)
  const [chain, key] = hkdf(name, secret)
  const cipher = createCipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 })
  cipher.setAAD(hash, { plaintextLength: 0 })
  cipher.final()
  const [toResponder, toInitiator] = hkdf(chain, new Uint8Array(0))
  return { answer: Buffer.concat([theirs, cipher.getAuthTag()]), toResponder, toInitiator }
}

it('answers a hello as the Noise specification says', () => {
  const base = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0))
  for (let round = 0; round < 20; round++) {
    const [ours, theirs, prologue] = [randomBytes(32), randomBytes(32), randomBytes(round)]
    const [hello, answered] = [addon.agree(ours, base)!, addon.agree(theirs, base)!]
    const right = noise(prologue, hello, answered, addon.agree(ours, answered)!)
    const made = addon.respond(theirs, prologue, hello)!
    expect({ answer: hex(made.answer), to: hex(made.toResponder), from: hex(made.toInitiator) }).toEqual({
      answer: hex(right.answer),
      to: hex(right.toResponder),
      from: hex(right.toInitiator),
    })
    expect(hex(made.toResponder)).not.toBe(hex(made.toInitiator))
  }
  expect(addon.respond(randomBytes(32), new Uint8Array(0), new Uint8Array(32))).toBeUndefined()
})
