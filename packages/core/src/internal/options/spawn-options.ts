import type { Isolation } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { Denial } from '../../denial.js'
import { OptionError } from '../../errors/option-error.js'
import type { Limits } from '../../limits.js'
import type { HostFunction, SpawnOptions } from '../../options.js'
import type { GivenPolicy } from '../policy/policy-module.js'
import { abortSignal, type Check, checkOptions, displayName, expected, listOf, oneOf, orElse } from './check.js'
import { defaultLimits, limits, type SettledLimits, tighter } from './limits.js'
import { isIdentifier, isModuleName } from './python-names.js'

export interface SettledSpawn {
  readonly isolation: Isolation
  readonly cell: string | undefined
  readonly limits: SettledLimits
  readonly preload: readonly string[]
  readonly inputs: Readonly<Record<string, unknown>>
  readonly functions: ReadonlyMap<string, HostFunction>
  readonly signal: AbortSignal | undefined
  /** `undefined`: the built-in one, which needs no broker. */
  readonly policy: GivenPolicy | undefined
  /** Of a sandbox without a policy; `undefined`: the built-in one. */
  readonly services: GivenPolicy | undefined
  readonly learn: boolean
  readonly onDenied: ((denial: Denial) => void) | undefined
  /** As they were given: a policy's come between them and the supervisor's. */
  readonly givenLimits: Limits | undefined
}

const inputs: Check<Readonly<Record<string, unknown>>> = (value, at) => {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    expected(at, 'an object of values by name', value)
  for (const name of Object.keys(value)) {
    if (!isIdentifier(name))
      throw new OptionError(`${at}.${name}`, 'expected a Python identifier as the name of an input')
  }
  return { ...value }
}

const functions: Check<ReadonlyMap<string, HostFunction>> = (value, at) => {
  if (value === undefined) return new Map()
  if (typeof value !== 'object' || value === null) expected(at, 'an object of functions by name', value)
  const entries = Object.entries(value) as [string, HostFunction][]
  for (const [name, item] of entries) {
    if (!isIdentifier(name) || name.startsWith('__')) {
      throw new OptionError(`${at}.${name}`, 'expected a Python identifier that does not start with __')
    }
    if (typeof item !== 'function') expected(`${at}.${name}`, 'a function', item)
  }
  return new Map(entries)
}

/** What every cell is confined to without a broker. */
const builtIn = 'stdlib.readonly'

const policy: Check<GivenPolicy | undefined> = (value, at) => {
  if (value === undefined || value === builtIn) return undefined
  if (typeof value === 'string' && value !== '') return value
  const compiled = value as Partial<CompiledPolicy> | null
  if (typeof compiled === 'object' && compiled?.schema === 1 && typeof compiled.digest === 'string')
    return compiled as CompiledPolicy
  return expected(at, "a template's name, a path such as './policy.yaml', or a compiled policy", value)
}

const boolean: Check<boolean> = (value, at) => (typeof value === 'boolean' ? value : expected(at, 'a boolean', value))

const callback: Check<(denial: Denial) => void> = (value, at) =>
  typeof value === 'function' ? (value as (denial: Denial) => void) : expected(at, 'a function', value)

const checks = {
  policy,
  services: policy,
  learn: orElse(boolean, false),
  onDenied: orElse(callback, undefined),
  isolation: orElse(oneOf('process', 'interpreter'), undefined),
  cell: orElse(displayName, undefined),
  preload: orElse(listOf('a Python module name', isModuleName), []),
  inputs,
  functions,
  signal: abortSignal,
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

/** What a spawn comes to under a policy: its limits hold unless the options are tighter. @throws OptionError */
export function underPolicy(settled: SettledSpawn, { limits: own }: CompiledPolicy, base: SettledLimits): SettledSpawn {
  const known = Object.fromEntries(Object.entries(own).filter(([name]) => Object.hasOwn(base, name)))
  const given = limits({ ...base, ...known } as SettledLimits)(settled.givenLimits, 'options.limits')
  return { ...settled, limits: tighter(given, known) }
}

/** @throws OptionError */
export function settleSpawn(options: SpawnOptions | undefined, base: SettledLimits): SettledSpawn {
  return options === undefined || isEmpty(options) ? { ...nothingGiven, limits: base } : settle(options, base)
}

function settle(options: SpawnOptions, base: SettledLimits): SettledSpawn {
  const checked = checkOptions(options, 'options', { ...checks, limits: limits(base) })
  const isolation = checked.isolation ?? (checked.cell === undefined ? 'process' : 'interpreter')
  if (isolation === 'process' && checked.cell !== undefined) {
    throw new OptionError('options.cell', "a cell is for isolation: 'interpreter'; drop one of the two")
  }
  if (isolation === 'interpreter') refuseProcessLimits(options.limits)
  // To learn is to have every call looked at, whatever the policy.
  if (checked.policy !== undefined && checked.services !== undefined)
    throw new OptionError('options.services', 'a sandbox with a policy is judged by that; drop one of the two')
  const ruled = checked.policy ?? (checked.learn ? builtIn : undefined)
  return {
    ...checked,
    policy: ruled,
    givenLimits: options.limits,
    isolation,
    cell: isolation === 'interpreter' ? (checked.cell ?? 'default') : undefined,
  }
}

/** The kernel counts descriptors for a process; a limit that nothing would keep is refused. @throws OptionError */
function refuseProcessLimits(given: Limits | undefined): void {
  if (given?.openFiles === undefined) return
  const advice = 'in a shared cell it holds for the whole cell: set interpreters.openFiles of the supervisor'
  throw new OptionError('options.limits.openFiles', advice)
}

/** What most spawns come to: settled once. */
const nothingGiven = settle({}, defaultLimits)
