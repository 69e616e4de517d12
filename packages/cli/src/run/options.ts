import type { OptionError, SpawnOptions } from '@pyisolate/core'
import { readArguments } from '../arguments.js'
import { UsageError } from '../errors/usage-error.js'

export interface RunOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly args: readonly string[]
  readonly json: boolean
  /** Milliseconds that the program has, `Infinity` if it isn't said; `core` tells what is wrong with it, and with the rest. */
  readonly timeout: number
  readonly spawn: SpawnOptions
}

const flags = {
  policy: { type: 'string' },
  isolation: { type: 'string' },
  cell: { type: 'string' },
  timeout: { type: 'string' },
  cpu: { type: 'string' },
  memory: { type: 'string' },
  output: { type: 'string' },
  threads: { type: 'string' },
  preload: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Where `core` finds what a flag gave. */
const flagOf: Readonly<Record<string, string>> = {
  'options.policy': '--policy',
  'options.isolation': '--isolation',
  'options.cell': '--cell',
  'options.limits.callTime': '--timeout',
  'options.limits.cpuTime': '--cpu',
  'options.limits.memory': '--memory',
  'options.limits.output': '--output',
  'options.limits.threads': '--threads',
}

/** `undefined` when help is asked for. @throws UsageError */
export function parseRun(argv: readonly string[]): RunOptions | undefined {
  const { values, positionals, rest } = readArguments(argv, flags, 'run')
  if (values.help) return undefined
  const [file, ...more] = positionals
  if (file === undefined || file === '') throw new UsageError('run needs a FILE, or - for standard input')
  if (more.length > 0)
    throw new UsageError(
      `run takes one FILE; arguments of the program go after --: pyisolate run ${file} -- ${more[0]}`,
    )
  // Someone is there to end a program that runs for long; what it prints is passed on, not kept.
  const timeout = values.timeout === undefined ? Number.POSITIVE_INFINITY : time(values.timeout)
  const limits = {
    callTime: timeout,
    output: values.output === undefined ? Number.MAX_SAFE_INTEGER : size(values.output),
    ...(values.cpu !== undefined && { cpuTime: time(values.cpu) }),
    ...(values.memory !== undefined && { memory: size(values.memory) }),
    ...(values.threads !== undefined && { threads: numeric(values.threads) }),
  }
  const spawn = {
    ...(values.policy !== undefined && { policy: values.policy }),
    ...(values.isolation !== undefined && { isolation: values.isolation }),
    ...(values.cell !== undefined && { cell: values.cell }),
    preload: (values.preload ?? []).flatMap((list) => list.split(',')).filter((name) => name !== ''),
    limits,
  }
  return { file, args: rest, json: values.json ?? false, timeout: timeout as number, spawn: spawn as SpawnOptions }
}

/** An option that `core` refused, by the name it has here. */
export function asUsage(error: OptionError): UsageError {
  const flag = flagOf[error.option] ?? (error.option.startsWith('options.preload') ? '--preload' : undefined)
  if (flag === undefined) return new UsageError(error.message, { cause: error })
  return new UsageError(`${flag}: ${error.message.slice(error.option.length + 2)}`, { cause: error })
}

function numeric(text: string): number | string {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1e3, min: 60e3, h: 3600e3 }

/** Milliseconds. Without a unit: seconds, as every other command of the kind has it. */
function time(text: string): number | string {
  const given = /^(\d+(?:\.\d+)?) ?(ms|s|min|h)?$/.exec(text)
  return given === null ? text : Number(given[1]) * milliseconds[given[2] ?? 's']!
}

/** K, M and G are the binary units, as for ulimit's kin. */
function size(text: string): number | string {
  const short = /^(\d+(?:\.\d+)?)([kmg])$/i.exec(text)
  return short === null ? numeric(text) : `${short[1]}${short[2]!.toUpperCase()}iB`
}
