import type { MetricsSink } from '@pyisolate/interface'
import type { ChannelLimits, Padding, SealOptions } from '../../channel-options.js'
import { BrokerOptionError } from '../../errors/broker-option-error.js'
import { MAX_PAYLOAD } from './frame.js'
import { type Pad, padding } from './padding.js'

export interface SettledSeal {
  readonly limits: Required<ChannelLimits>
  readonly pad: Pad
  readonly metrics: MetricsSink
}

const KIB = 1024
const MOST = 2 ** 32 - 1
/** A timer of more milliseconds would strike at once. */
const TIMER_MOST = 2 ** 31 - 1

/** Each with its least and greatest value, and what it is by default. */
const RANGES: Readonly<Record<keyof ChannelLimits, readonly [least: number, most: number, usual: number]>> = {
  maxMessageBytes: [0, MOST, 16 * KIB * KIB],
  receiveBytes: [192 * KIB, MOST, 256 * KIB],
  receiveMessages: [1, 2 ** 20, KIB],
  sendBytes: [128 * KIB, MOST, 256 * KIB],
  maxWaitingSends: [0, MOST, KIB],
  rekeyAfterMessages: [1, MOST, 2 ** 20],
  rekeyAfterMs: [1, TIMER_MOST, 120_000],
  closeTimeoutMs: [0, TIMER_MOST, 5_000],
}

const NOBODY: MetricsSink = { count: () => {} }

/** `usual`: the padding where none is given. @throws BrokerOptionError */
export function settleSeal(options: SealOptions, usual: Padding): SettledSeal {
  const given: ChannelLimits = options.limits ?? {}
  const limits: Record<string, number> = {}
  for (const [name, [least, most, preset]] of Object.entries(RANGES)) {
    const value = given[name as keyof ChannelLimits] ?? preset
    const never = name === 'rekeyAfterMs' && value === Number.POSITIVE_INFINITY
    if (!never && !(Number.isInteger(value) && value >= least && value <= most))
      throw new BrokerOptionError(`limits.${name}`, `${least} to ${most}`)
    limits[name] = value
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(RANGES, name))
  if (unknown !== undefined)
    throw new BrokerOptionError(`limits.${unknown}`, `one of ${Object.keys(RANGES).join(', ')}`)
  return {
    limits: limits as unknown as Required<ChannelLimits>,
    pad: padding(options.padding ?? usual, MAX_PAYLOAD),
    metrics: options.metrics ?? NOBODY,
  }
}
