import { BrokerOptionError } from '../../errors/broker-option-error.js'

/**
 * Who proves a static key to whom: `NN` nobody; `KK` both, who know each other's key beforehand; `IK` both, the initiator
 * knows the responder's; `XX` both, who exchange them (Noise, section 7.5).
 */
export type PatternName = 'NN' | 'KK' | 'IK' | 'XX'

export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk' | 'e1' | 'ekem1'

export interface Pattern {
  /** Static keys that are known before the first message. */
  readonly knows: { readonly initiator: boolean; readonly responder: boolean }
  /** The initiator's and the responder's in turn, the initiator's first. */
  readonly messages: readonly (readonly Token[])[]
}

const NONE = { initiator: false, responder: false }

const PATTERNS: Readonly<Record<PatternName, Pattern>> = {
  NN: { knows: NONE, messages: [['e'], ['e', 'ee']] },
  KK: {
    knows: { initiator: true, responder: true },
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  IK: {
    knows: { initiator: false, responder: true },
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  XX: { knows: NONE, messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
}

export const isPatternName = (name: unknown): name is PatternName =>
  typeof name === 'string' && Object.hasOwn(PATTERNS, name)

const isAgreement = (token: Token) => token === 'ee' || token === 'es' || token === 'se' || token === 'ss'

/**
 * The messages of a pattern with its modifiers: pre-shared keys at their places (Noise, section 9), and with `pq` the
 * `hfs` modifier (KEM-based Hybrid Forward Secrecy for Noise, revision 1, section 5).
 */
export function patternOf(name: PatternName, pq: boolean, pskPlaces: readonly number[]): Pattern {
  const { knows, messages } = PATTERNS[name]
  const changed = messages.map((tokens) => [...tokens])
  if (pq) addKem(changed)
  for (const place of pskPlaces) {
    if (!Number.isInteger(place) || place < 0 || place > changed.length) {
      throw new BrokerOptionError('psks', `places from 0 to ${changed.length} in ${name}`)
    }
    if (place === 0) changed[0]!.unshift('psk')
    else changed[place - 1]!.push('psk')
  }
  return { knows, messages: changed }
}

/** `e1` follows the first agreement of the first `e`'s message, so that it is encrypted, or else that `e`. */
function addKem(messages: Token[][]): void {
  const first = messages.find((tokens) => tokens.includes('e'))!
  const agreement = first.findIndex(isAgreement)
  first.splice((agreement < 0 ? first.indexOf('e') : agreement) + 1, 0, 'e1')
  const second = messages.find((tokens) => tokens.includes('ee'))!
  second.splice(second.indexOf('ee') + 1, 0, 'ekem1')
}
