import type { Padding } from '../../channel-options.js'
import { BrokerOptionError } from '../../errors/broker-option-error.js'
import { BODY_HEADER } from './frame.js'

const BLOCK_BYTES = 64

/** The length that a payload of so many bytes is sealed with; never less, never more than a frame's. */
export type Pad = (length: number) => number

/** @throws BrokerOptionError */
export function padding(rule: Padding, most: number): Pad {
  if (rule === 'padme') return (length) => Math.min(padme(length), most)
  if (rule === 'blocks') return (length) => Math.min(length + fill(length), most)
  if (!Number.isInteger(rule) || rule < 1 || rule > most)
    throw new BrokerOptionError('padding', `1 to ${most}, blocks or padme`)
  if (rule === 1) return (length) => length
  return (length) => Math.min(Math.max(1, Math.ceil(length / rule)) * rule, most)
}

/**
 * What is left of the last of ChaCha20's blocks (RFC 8439, section 2.3). A part of one is a call of its own for OpenSSL's
 * vector code, 130 to 150 ns of the 700 that 1,000 bytes take.
 */
function fill(length: number): number {
  const rest = -(length + BODY_HEADER) & (BLOCK_BYTES - 1)
  return 8 * rest <= length ? rest : 0
}

/** Keeps of a length's bits as many high ones as it has bits to count them, and rounds the others up. */
function padme(length: number): number {
  if (length < 2) return length
  const exponent = Math.floor(Math.log2(length))
  const kept = Math.floor(Math.log2(exponent || 1)) + 1
  const step = 2 ** Math.max(0, exponent - kept)
  return Math.ceil(length / step) * step
}
