import type { HashName } from './hash.js'
import type { PatternName } from './patterns.js'

export interface ProtocolChoice {
  readonly pattern: PatternName
  readonly hash: HashName
  readonly pq: boolean
  readonly pskPlaces: readonly number[]
}

/** Noise, section 8. Modifiers are in alphabetical order: the first follows the pattern, the others a plus sign each. */
export function protocolName({ pattern, hash, pq, pskPlaces }: ProtocolChoice): string {
  const modifiers = [...(pq ? ['hfs'] : []), ...[...pskPlaces].sort((a, b) => a - b).map((place) => `psk${place}`)]
  return `Noise_${pattern}${modifiers.join('+')}_25519${pq ? '+MLKEM768' : ''}_ChaChaPoly_${hash}`
}
