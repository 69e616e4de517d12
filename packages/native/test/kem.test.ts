// The hybrid form of a ring's handshake, where libcrypto has ML-KEM-768: by the specification's text, with noble's ML-KEM.
import { createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type Engine, FrameType } from '@pyisolate/interface'
import { type SkippableContext, skipUnless } from '@pyisolate/test-kit'
import { afterEach, describe, expect, it } from 'vitest'

import { addon, cellOptions, fakeNativeEngine, launch, spawnFake, string, text, until } from './support/fake.js'

interface Kem {
  keygen(): { publicKey: Uint8Array; secretKey: Uint8Array }
  decapsulate(text: Uint8Array, secretKey: Uint8Array): Uint8Array
}

/** The one that channels use: another implementation than the one under test. */
async function noble(): Promise<Kem> {
  const require = createRequire(createRequire(import.meta.url).resolve('@pyisolate/broker'))
  return (await import(pathToFileURL(require.resolve('@noble/post-quantum/ml-kem.js')).href)).ml_kem768
}

const engines: Engine[] = []
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

function hybrid(): Engine {
  const engine = fakeNativeEngine({ pool: 0, sealed: 'hybrid' })
  engines.push(engine)
  return engine
}

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const mac = (key: Uint8Array, ...parts: Uint8Array[]) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()
const hkdf = (chain: Uint8Array, input: Uint8Array) => {
  const temporary = mac(chain, input)
  const first = mac(temporary, Uint8Array.of(1))
  return [first, mac(temporary, first, Uint8Array.of(2))] as const
}

/** Under a key's first counter; throws for what is not authentic. */
function open(key: Uint8Array, hash: Uint8Array, sealed: Uint8Array): Buffer {
  const cipher = createDecipheriv('chacha20-poly1305', key, new Uint8Array(12), { authTagLength: 16 })
  cipher.setAAD(hash, { plaintextLength: sealed.length - 16 })
  cipher.setAuthTag(sealed.subarray(-16))
  return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()])
}

function needKem(context: SkippableContext): void {
  skipUnless(context, 'ml-kem', 'the hybrid handshake', addon.hasKem)
}

describe('with ML-KEM', () => {
  it('answers a hello as the specifications say', async (context) => {
    needKem(context)
    const kem = await noble()
    const base = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0))
    for (let round = 0; round < 5; round++) {
      const [ours, theirs, prologue] = [randomBytes(32), randomBytes(32), randomBytes(round)]
      const { publicKey, secretKey } = kem.keygen()
      const hello = addon.agree(ours, base)!
      const { answer, toResponder, toInitiator } = addon.respond(theirs, prologue, Buffer.concat([hello, publicKey]))!
      expect(answer.length).toBe(32 + 1088 + 16 + 16)

      const e = answer.subarray(0, 32)
      let hash = sha(Buffer.from('Noise_NNhfs_25519+MLKEM768_ChaChaPoly_SHA256'))
      const first = hash
      for (const part of [prologue, hello, publicKey, new Uint8Array(0), e]) hash = sha(hash, part)
      const [chain, key] = hkdf(first, addon.agree(ours, e)!)
      const sealed = answer.subarray(32, 32 + 1104)
      const ciphertext = open(key, hash, sealed)
      hash = sha(hash, sealed)
      const [last, second] = hkdf(chain, kem.decapsulate(ciphertext, secretKey))
      expect(open(second, hash, answer.subarray(-16))).toHaveLength(0)
      const [right, back] = hkdf(last, new Uint8Array(0))
      expect([Buffer.from(toResponder), Buffer.from(toInitiator)]).toEqual([right, back])
    }
  })

  it('refuses an encapsulation key that is none, and a hello of another length', (context) => {
    needKem(context)
    const hello = addon.agree(
      randomBytes(32),
      Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 9 : 0)),
    )!
    // Coefficients beyond q (FIPS 203, section 7.2).
    const bad = Buffer.concat([hello, Buffer.alloc(1184, 0xff)])
    expect(addon.respond(randomBytes(32), new Uint8Array(0), bad)).toBeUndefined()
    expect(addon.respond(randomBytes(32), new Uint8Array(0), bad.subarray(0, -1))).toBeUndefined()
  })

  it('carries frames of all sizes both ways', async (context) => {
    needKem(context)
    const sandboxes = await Promise.all([0, 1, 2].map((n) => spawnFake(hybrid(), { name: `hybrid ${n}` })))
    for (const { cell, next } of sandboxes) {
      for (const [id, length] of [0, 1, 1000, 100_000].entries()) {
        cell.send(FrameType.message, 50 + id, text('x'.repeat(length)))
        expect(string((await next((frame) => frame.id === 50 + id)).payload)).toBe('x'.repeat(length))
      }
    }
  })

  it.for(['forged', 'zero', 'elsewhere', 'kem'])('%s: is no sandbox', async (how, context) => {
    needKem(context)
    const { zygote, gone } = await launch(`hello-${how}`, 'hybrid')
    const seen: string[] = []
    const cell = zygote.fork(
      cellOptions({ onCorrupt: (detail) => seen.push(detail), onFrame: () => seen.push('a frame') }),
    )
    await until('the handshake failed', () => seen.length > 0)
    expect(seen).toEqual([expect.stringMatching(/answer to the hello/)])
    cell.close()
    zygote.close()
    await gone
  })
})

it.for([
  [true, addon.hasKem ? '2' : '1'],
  ['x25519', '1'],
  [false, '0'],
] as const)('sealed: %s is the form of segments %s', async ([sealed, form]) => {
  const engine = fakeNativeEngine({ pool: 0, sealed })
  engines.push(engine)
  const { cell, next } = await spawnFake(engine)
  cell.send(FrameType.exec, 2, text('form'))
  expect(string((await next((frame) => frame.type === FrameType.post)).payload)).toBe(form)
})

it('that either side lacks refuses the spawn by name', async () => {
  const spawned = spawnFake(hybrid()).then(
    () => 'spawned',
    ({ code, message }) => `${code} ${message}`,
  )
  expect(await spawned).toMatch(addon.hasKem ? /^spawned$/ : /^ERR_PYISOLATE_SPAWN .*ML-KEM-768/)
})
