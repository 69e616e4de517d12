import type { CallOptions, CodeOptions, ReceiveOptions } from '../../options.js'
import { abortSignal, type Check, checkOptions, expected, orElse } from './check.js'
import { duration } from './quantities.js'

export interface SettledCall {
  readonly signal: AbortSignal | undefined
  readonly timeout: number
}

const timeout = orElse(duration, undefined)
const callChecks = { signal: abortSignal, timeout }

const filename: Check<string> = (value, at) => {
  if (typeof value === 'string' && value.length <= 4096 && !value.includes('\0') && value.isWellFormed()) return value
  return expected(at, 'a file name', value)
}

const codeChecks = { ...callChecks, filename: orElse(filename, undefined) }

export function settleCall(options: CallOptions | undefined, callTime: number): SettledCall {
  if (options === undefined) return { signal: undefined, timeout: callTime }
  const checked = checkOptions(options, 'options', callChecks)
  return { signal: checked.signal, timeout: checked.timeout ?? callTime }
}

export function settleCode(
  options: CodeOptions | undefined,
  callTime: number,
  name: string,
): SettledCall & { filename: string } {
  if (options === undefined) return { signal: undefined, timeout: callTime, filename: name }
  const checked = checkOptions(options, 'options', codeChecks)
  return { signal: checked.signal, timeout: checked.timeout ?? callTime, filename: checked.filename ?? name }
}

export function settleReceive(options: ReceiveOptions | undefined): SettledCall {
  return settleCall(options, Number.POSITIVE_INFINITY)
}

export const pythonCode: Check<string> = (value, at) =>
  typeof value === 'string' ? value : expected(at, 'Python source as a string', value)
