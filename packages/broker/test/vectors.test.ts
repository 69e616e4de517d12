import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Handshake } from '../src/internal/noise/handshake.js'
import { KeyPair } from '../src/internal/noise/key-pair.js'
import type { PatternName } from '../src/internal/noise/patterns.js'
import { fromHex, hex } from './support/hex.js'

/** The format of cacophony and snow; flynn's are converted to it. */
interface Vector {
  readonly protocol_name: string
  readonly init_prologue: string
  readonly resp_prologue: string
  readonly init_psks?: readonly string[]
  readonly resp_psks?: readonly string[]
  readonly init_static?: string
  readonly resp_static?: string
  readonly init_ephemeral: string
  readonly resp_ephemeral: string
  readonly handshake_hash?: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

const read = (name: string): Vector[] =>
  JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'))

const NAME = /^Noise_(NN|KK|IK|XX)((?:psk\d\+?)*)_25519_ChaChaPoly_(SHA256|BLAKE2s)$/

function side(vector: Vector, role: 'initiator' | 'responder'): Handshake {
  const [, pattern, modifiers, hash] = NAME.exec(vector.protocol_name)!
  const ours = role === 'initiator' ? 'init' : 'resp'
  const secret = (name: 'init' | 'resp') => {
    const key = vector[`${name}_static`]
    return key === undefined ? undefined : KeyPair.from(fromHex(key))
  }
  const theirs = secret(ours === 'init' ? 'resp' : 'init')
  const known = pattern === 'KK' || (pattern === 'IK' && role === 'initiator')
  const psks = vector[`${ours}_psks`] ?? []
  const keys = secret(ours)
  return new Handshake(
    {
      role,
      pattern: pattern as PatternName,
      hash: hash as 'SHA256' | 'BLAKE2s',
      prologue: fromHex(vector[`${ours}_prologue`]),
      psks: [...modifiers!.matchAll(/psk(\d)/g)].map(([, place], at) => ({
        place: Number(place),
        key: fromHex(psks[at]!),
      })),
      ...(keys && pattern !== 'NN' ? { keys } : {}),
      ...(known ? { remoteKey: theirs!.publicKey } : {}),
    },
    {
      keyPair: () => KeyPair.from(fromHex(vector[`${ours}_ephemeral`])),
      kemSeed: () => undefined,
      kemMessage: () => undefined,
    },
  )
}

/** After the handshake cacophony goes on taking turns, flynn begins with the initiator again, and snow has nothing. */
const SETS = [
  { name: 'cacophony', count: 22, after: 'turns' },
  { name: 'snow', count: 22, after: 'nothing' },
  { name: 'flynn', count: 136, after: 'initiator' },
]

describe.each(SETS)('the vectors of $name', ({ name, count, after }) => {
  const vectors = read(name)

  it('are all there', () => expect(vectors).toHaveLength(count))

  it.each(vectors.map((vector, at) => ({ at, protocol: vector.protocol_name })))('$at: $protocol', ({ at }) => {
    const vector = vectors[at]!
    const initiator = side(vector, 'initiator')
    const responder = side(vector, 'responder')
    expect(initiator.protocol).toBe(vector.protocol_name)
    let number = 0
    for (; initiator.turn !== 'done'; number++) {
      const { payload, ciphertext } = vector.messages[number]!
      const [writer, reader] = number % 2 === 0 ? [initiator, responder] : [responder, initiator]
      const message = writer.writeMessage(fromHex(payload))
      expect(hex(message)).toBe(ciphertext)
      expect(hex(reader.readMessage(message))).toBe(payload)
    }
    expect(number).toBeGreaterThanOrEqual(2)
    const ends = [initiator.session(), responder.session()]
    expect(hex(ends[0]!.handshakeHash)).toBe(hex(ends[1]!.handshakeHash))
    if (vector.handshake_hash !== undefined) expect(hex(ends[0]!.handshakeHash)).toBe(vector.handshake_hash)
    const first = after === 'initiator' ? number : 0
    expect(vector.messages.length > number).toBe(after !== 'nothing')
    for (; number < vector.messages.length; number++) {
      const { payload, ciphertext } = vector.messages[number]!
      const [sender, receiver] = (number - first) % 2 === 0 ? [ends[0]!, ends[1]!] : [ends[1]!, ends[0]!]
      const sealed = sender.send.encrypt(new Uint8Array(), fromHex(payload))
      expect(hex(sealed)).toBe(ciphertext)
      expect(hex(receiver.receive.decrypt(new Uint8Array(), sealed)!)).toBe(payload)
    }
  })
})
