import type { Padding } from '../../channel-options.js'
import { BrokerOptionError } from '../../errors/broker-option-error.js'

/** The length that a payload of so many bytes is sealed with; never less, never more than a frame's. */
export type Pad = (length: number) => number

/** @throws BrokerOptionError */
export function padding(rule: Padding, most: number): Pad {
  if (rule === 'padme') return (length) => Math.min(padme(length), most)
  if (!Number.isInteger(rule) || rule < 1 || rule > most)
    throw new BrokerOptionError('padding', `1 to ${most}, or padme`)
  if (rule === 1) return (length) => length
  return (length) => Math.min(Math.max(1, Math.ceil(length / rule)) * rule, most)
}

/** Keeps of a length's bits as many high ones as it has bits to count them, and rounds the others up. */
function padme(length: number): number {
  if (length < 2) return length
  const exponent = Math.floor(Math.log2(length))
  const kept = Math.floor(Math.log2(exponent || 1)) + 1
  const step = 2 ** Math.max(0, exponent - kept)
  return Math.ceil(length / step) * step
}
