import { isAbsolute } from 'node:path'
import type { CellLimits, Enforcer, Engine } from '@pyisolate/interface'
import type { SupervisorOptions } from '../../options.js'
import type { ControlOptions, PoliciesOptions } from '../../reloading.js'
import { type Check, checkOptions, expected, integer, listOf, optional, orElse } from './check.js'
import { defaultLimits, limits, type SettledLimits } from './limits.js'
import { isModuleName } from './python-names.js'
import { size } from './quantities.js'

export interface SettledSupervisor {
  readonly preload: readonly string[]
  readonly poolSize: number
  readonly warm: number
  /** Of shared cells; the budgets of values are each sandbox's own. */
  readonly cell: Pick<CellLimits, 'memory' | 'threads' | 'openFiles'>
  readonly readPaths: readonly string[]
  readonly modulePaths: readonly string[]
  readonly ringBytes: number
  readonly limits: SettledLimits
  readonly engine: Engine | undefined
  readonly enforcers: readonly Enforcer[]
  readonly policies: PoliciesOptions | undefined
  readonly control: ControlOptions | undefined
}

const paths = listOf('an absolute path', (path) => isAbsolute(path) && !path.includes('\0'))

const ringBytes: Check<number> = (value, at) => {
  const bytes = integer(4096, 2 ** 30)(value, at)
  return Number.isInteger(Math.log2(bytes)) ? bytes : expected(at, 'a power of two from 4096', value)
}

const engine: Check<Engine> = (value, at) => {
  const given = value as Partial<Engine> | null
  if (typeof given === 'object' && typeof given?.spawn === 'function' && typeof given.close === 'function')
    return given as Engine
  return expected(at, 'an Engine', value)
}

const enforcers: Check<readonly Enforcer[]> = (value, at) => {
  if (!Array.isArray(value)) return expected(at, 'a list of Enforcers', value)
  return value.map((item: Partial<Enforcer> | null, i) => {
    const { name, keeps, prepare } = item ?? {}
    if (typeof name === 'string' && typeof keeps?.has === 'function' && typeof prepare === 'function')
      return item as Enforcer
    return expected(`${at}[${i}]`, 'an Enforcer', item)
  })
}

/** What is in it the source itself says, where it can say what is wrong. */
const policies: Check<PoliciesOptions> = (value, at) => {
  const given = value as { watch?: unknown; url?: unknown } | null
  const watch = typeof given === 'object' && typeof given?.watch === 'string' && given.watch !== ''
  const url = typeof given === 'object' && (typeof given?.url === 'string' || given?.url instanceof URL)
  if (watch !== url) return { ...(given as PoliciesOptions) }
  return expected(at, '{ watch: PATH } or { url, publicKey, interval }', value)
}

const control: Check<ControlOptions> = (value, at) => {
  const path: Check<string> = (given, where) =>
    typeof given === 'string' && isAbsolute(given) ? given : expected(where, 'the absolute path of a socket', given)
  return checkOptions(value, at, { path })
}

/** @throws OptionError */
export function settleSupervisor(options: SupervisorOptions | undefined): SettledSupervisor {
  const { pool, interpreters, ...rest } = checkOptions(options, 'options', {
    preload: orElse(listOf('a Python module name', isModuleName), []),
    pool: (value: unknown, at: string) => checkOptions(value, at, { size: orElse(integer(0, 1024), 2) }),
    interpreters: (value: unknown, at: string) =>
      checkOptions(value, at, {
        warm: orElse(integer(0, 64), 1),
        memory: orElse(size(32 * 2 ** 20, 2 ** 46), 4 * 2 ** 30),
        threads: orElse(integer(1, 65_536), 1024),
        openFiles: orElse(integer(16, 2 ** 20), 4096),
      }),
    readPaths: orElse(paths, []),
    modulePaths: orElse(paths, []),
    ringBytes: orElse(ringBytes, 65_536),
    limits: limits(defaultLimits),
    engine: orElse(engine, undefined),
    enforcers: orElse(enforcers, []),
    policies: optional(policies),
    control: optional(control),
  })
  const { warm, ...cell } = interpreters
  return { ...rest, poolSize: pool.size, warm, cell }
}
