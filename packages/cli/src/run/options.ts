import type { OptionError, SpawnOptions } from '@pyisolate/core'
import { inUnits, sizeUnits, timeUnits } from '@pyisolate/interface'
import { loadPolicy, PolicyError } from '@pyisolate/policy'
import { readArguments } from '../arguments.js'
import { UsageError } from '../errors/usage-error.js'

export interface RunOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly args: readonly string[]
  readonly json: boolean
  /** Whether to tell what the program is denied. */
  readonly explain: boolean
  /** Milliseconds that the program has, `Infinity` if it isn't said. */
  readonly timeout: number
  /** Bytes of stdout and stderr together. */
  readonly output: number
  /** The rest, as it was given: `core` says what is wrong with it. */
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
  explain: { type: 'boolean' },
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
  const timeout = values.timeout === undefined ? Number.POSITIVE_INFINITY : time('--timeout', values.timeout)
  const output = values.output === undefined ? Number.MAX_SAFE_INTEGER : size('--output', values.output)
  const limits = {
    callTime: timeout,
    output,
    ...(values.cpu !== undefined && { cpuTime: time('--cpu', values.cpu) }),
    ...(values.memory !== undefined && { memory: size('--memory', values.memory) }),
    ...(values.threads !== undefined && { threads: numeric(values.threads) }),
  }
  const spawn = {
    ...policyOf(values.policy, values.explain ?? false),
    ...(values.isolation !== undefined && { isolation: values.isolation }),
    ...(values.cell !== undefined && { cell: values.cell }),
    preload: (values.preload ?? []).flatMap((list) => list.split(',')).filter((name) => name !== ''),
    limits,
  }
  const { json = false, explain = false } = values
  return { file, args: rest, json, explain, timeout, output, spawn: spawn as SpawnOptions }
}

/** The built-in policy is the cell's own confinement, which explains nothing: compiled, it goes through the broker. */
function policyOf(name: string | undefined, explain: boolean): { readonly policy?: SpawnOptions['policy'] } {
  if (!explain) return name === undefined ? {} : { policy: name }
  try {
    return { policy: loadPolicy(name ?? 'stdlib.readonly') }
  } catch (error) {
    if (!PolicyError.isInstance(error)) throw error
    throw new UsageError(`--policy: ${error.message}`, { cause: error })
  }
}

/** An option that `core` refused, by the name it has here. */
export function asUsage(error: OptionError): UsageError {
  const flag = flagOf[error.option] ?? (error.option.startsWith('options.preload') ? '--preload' : undefined)
  if (flag === undefined) return new UsageError(error.message, { cause: error })
  return new UsageError(`${flag}: ${error.message.slice(error.option.length + 2)}`, { cause: error })
}

/** Milliseconds. Without a unit: seconds, as every other command of the kind has it. */
function time(flag: string, text: string): number {
  const ms = inUnits(text, { ...timeUnits, '': 1e3 })
  if (ms !== undefined && ms > 0) return ms
  throw new UsageError(`${flag}: expected a time above 0, such as 5 (seconds), 250ms, 30s or 2min, got '${text}'`)
}

/** K, M and G are the binary units, as for ulimit's kin. */
function size(flag: string, text: string): number {
  const { KiB, MiB, GiB } = sizeUnits
  const short = { '': 1, k: KiB!, K: KiB!, m: MiB!, M: MiB!, g: GiB!, G: GiB! }
  const value = inUnits(text, { ...sizeUnits, ...short })
  if (value !== undefined) return Math.floor(value)
  throw new UsageError(`${flag}: expected a size, such as 64M, 64MiB, 1G or a number of bytes, got '${text}'`)
}

function numeric(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}
