import { randomBytes } from 'node:crypto'
import { KeyPair, type PatternName } from '../../src/index.js'
import { Handshake } from '../../src/internal/noise/handshake.js'
import type { HandshakeOptions } from '../../src/internal/noise/options.js'

export const PATTERNS: readonly PatternName[] = ['NN', 'KK', 'IK', 'XX']

export type Extra = Partial<Pick<HandshakeOptions, 'hash' | 'pq' | 'psks' | 'prologue' | 'aead'>>

/** The keys of both sides of a pattern, as its options want them. */
export function keysOf(pattern: PatternName) {
  const initiatorKeys = KeyPair.generate()
  const responderKeys = KeyPair.generate()
  const initiator: HandshakeOptions = {
    role: 'initiator',
    pattern,
    ...(pattern !== 'NN' ? { keys: initiatorKeys } : {}),
    ...(pattern === 'KK' || pattern === 'IK' ? { remoteKey: responderKeys.publicKey } : {}),
  }
  const responder: HandshakeOptions = {
    role: 'responder',
    pattern,
    ...(pattern !== 'NN' ? { keys: responderKeys } : {}),
    ...(pattern === 'KK' ? { remoteKey: initiatorKeys.publicKey } : {}),
  }
  return { initiator, responder, initiatorKeys, responderKeys }
}

export function pairOf(pattern: PatternName, extra: Extra = {}): [Handshake, Handshake] {
  const { initiator, responder } = keysOf(pattern)
  return [new Handshake({ ...initiator, ...extra }), new Handshake({ ...responder, ...extra })]
}

/** Has both sides say everything, and gives the messages. */
export function finish(initiator: Handshake, responder: Handshake): Uint8Array[] {
  const messages: Uint8Array[] = []
  while (initiator.turn !== 'done' || responder.turn !== 'done') {
    const [writer, reader] = initiator.turn === 'write' ? [initiator, responder] : [responder, initiator]
    const message = writer.writeMessage()
    messages.push(message)
    reader.readMessage(message)
  }
  return messages
}

export const psk = (place: number) => ({ place, key: Uint8Array.from(randomBytes(32)) })
