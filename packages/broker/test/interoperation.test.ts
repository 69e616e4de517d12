import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { beforeAll, describe, expect, it } from 'vitest'
import { type HashName, KeyPair, type PatternName } from '../src/index.js'
import { Handshake } from '../src/internal/noise/handshake.js'
import { PATTERNS } from './support/handshakes.js'
import { hex } from './support/hex.js'

/** noise-c, written in C by others, compiled to WebAssembly. It has neither pre-shared keys as of revision 34 nor rekeying. */
interface NoiseC {
  readonly constants: { readonly NOISE_ROLE_INITIATOR: number; readonly NOISE_ROLE_RESPONDER: number }
  HandshakeState(protocol: string, role: number): NoiseCHandshake
}
interface NoiseCHandshake {
  Initialize(prologue: Uint8Array | null, s: Uint8Array | null, rs: Uint8Array | null, psk: null): void
  WriteMessage(payload: Uint8Array | null): Uint8Array
  ReadMessage(message: Uint8Array, payloadNeeded: boolean): Uint8Array
  GetHandshakeHash(): Uint8Array
  Split(): [NoiseCCipher, NoiseCCipher]
}
interface NoiseCCipher {
  EncryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array
  DecryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array
}

const nothing = new Uint8Array()
const HASHES: readonly HashName[] = ['SHA256', 'BLAKE2s']
let noise: NoiseC

beforeAll(async () => {
  const require = createRequire(import.meta.url)
  const create = require('noise-c.wasm') as (options: object, ready: (noise: NoiseC) => void) => void
  const wasmBinary = readFileSync(require.resolve('noise-c.wasm/src/noise-c.wasm'))
  noise = await new Promise((resolve) => create({ wasmBinary }, resolve))
})

const cases = PATTERNS.flatMap((pattern) =>
  HASHES.flatMap((hash) => (['initiator', 'responder'] as const).map((role) => ({ pattern, hash, role }))),
)

describe('with noise-c', () => {
  it.each(cases)('$pattern, $hash, as the $role', ({ pattern, hash, role }) => {
    const { ours, theirs } = start(pattern, hash, role)
    for (let number = 0; ours.turn !== 'done'; number++) {
      const payload = Uint8Array.from([number, 1, 2, 3])
      if (ours.turn === 'write') expect(hex(theirs.ReadMessage(ours.writeMessage(payload), true))).toBe(hex(payload))
      else expect(hex(ours.readMessage(theirs.WriteMessage(payload)))).toBe(hex(payload))
    }
    const session = ours.session()
    expect(hex(theirs.GetHandshakeHash())).toBe(hex(session.handshakeHash))
    const [send, receive] = theirs.Split()
    for (let length = 0; length < 1000; length += 37) {
      const text = new Uint8Array(length).fill(length)
      expect(hex(receive.DecryptWithAd(nothing, session.send.encrypt(nothing, text)))).toBe(hex(text))
      expect(hex(session.receive.decrypt(nothing, send.EncryptWithAd(nothing, text))!)).toBe(hex(text))
    }
  })
})

function start(pattern: PatternName, hash: HashName, role: 'initiator' | 'responder') {
  const [our, their] = [KeyPair.generate(), KeyPair.generate()]
  const prologue = new TextEncoder().encode('both agree on this')
  const knows = (who: string) => pattern === 'KK' || (pattern === 'IK' && who === 'initiator')
  const other = role === 'initiator' ? 'responder' : 'initiator'
  const ours = new Handshake({
    role,
    pattern,
    hash,
    prologue,
    ...(pattern === 'NN' ? {} : { keys: our }),
    ...(knows(role) ? { remoteKey: their.publicKey } : {}),
  })
  const { NOISE_ROLE_INITIATOR, NOISE_ROLE_RESPONDER } = noise.constants
  const theirs = noise.HandshakeState(
    ours.protocol,
    other === 'initiator' ? NOISE_ROLE_INITIATOR : NOISE_ROLE_RESPONDER,
  )
  const secret = pattern === 'NN' ? null : their.exportPrivateKey()
  theirs.Initialize(prologue, secret, knows(other) ? our.publicKey : null, null)
  return { ours, theirs }
}
