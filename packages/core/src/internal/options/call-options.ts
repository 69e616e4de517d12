import type { CallOptions, CodeOptions, ReceiveOptions } from '../../options.js'
import { abortSignal, type Check, checkOptions, expected, orElse } from './check.js'
import { duration } from './quantities.js'

export interface SettledCall {
  readonly signal: AbortSignal | undefined
  readonly timeout: number
}

const checks = (callTime: number) => ({ signal: abortSignal, timeout: orElse(duration, callTime) })

const filename: Check<string> = (value, at) => {
  if (typeof value === 'string' && value.length <= 4096 && !value.includes('\0') && value.isWellFormed()) return value
  return expected(at, 'a file name', value)
}

export function settleCall(options: CallOptions | undefined, callTime: number): SettledCall {
  return checkOptions(options, 'options', checks(callTime))
}

export function settleCode(
  options: CodeOptions | undefined,
  callTime: number,
  name: string,
): SettledCall & { filename: string } {
  return checkOptions(options, 'options', { ...checks(callTime), filename: orElse(filename, name) })
}

export function settleReceive(options: ReceiveOptions | undefined): SettledCall {
  return checkOptions(options, 'options', checks(Number.POSITIVE_INFINITY))
}

export const pythonCode: Check<string> = (value, at) =>
  typeof value === 'string' ? value : expected(at, 'Python source as a string', value)
