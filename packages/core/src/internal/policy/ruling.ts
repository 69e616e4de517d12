import { constants } from 'node:os'
import type {
  BrokerRequest,
  Cell,
  CellPlaces,
  EnforcementEntry,
  Enforcer,
  Denial as EngineDenial,
  Isolation,
} from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { Denial, DenialRule } from '../../denial.js'
import { ReloadError } from '../../errors/reload-error.js'
import { UnenforceableError } from '../../errors/unenforceable-error.js'
import type { HostFunction } from '../../options.js'
import type { LimitNotice } from '../session/limit-notice.js'
import { Attachments, type EnforcerCounters, type Step } from './attachments.js'
import { Denials } from './denials.js'
import { type DeniedCall, readDeniedCall } from './denied-call.js'
import { type Coverage, coverage, type HostAbilities } from './enforcers.js'
import { frozenDifference } from './frozen.js'
import { kernelPolicy } from './kernel-policies.js'
import { type PolicyModule, withGrants } from './policy-module.js'
import { Resolver } from './resolver.js'
import { makeScratch, needsScratch, removeScratch } from './scratch.js'
import { brokerTable, type KnownTables, type TableOptions } from './tables.js'

export interface RulingOptions {
  readonly name: string
  readonly isolation: Isolation
  readonly policies: PolicyModule
  readonly policy: CompiledPolicy
  /** The same without what the supervisor grants. */
  readonly given: CompiledPolicy
  readonly host: Omit<HostAbilities, 'enforcers'>
  readonly enforcers: readonly Enforcer[]
  /** Paths that every sandbox of the supervisor may read. */
  readonly grants: readonly string[]
  /** What every blank sandbox of the supervisor may do while it is made. */
  readonly blank: CompiledPolicy
  /** Report instead of enforcing. */
  readonly learn: boolean
  onDenial(denial: Denial): void
  kill(contract: string): void
}

/** What rules one sandbox: the policy in force, those that were, and what they need on this side. */
export class Ruling implements BrokerRequest {
  readonly #options: RulingOptions
  readonly #resolver = new Resolver()
  readonly #tables: KnownTables = new WeakMap()
  readonly #denials: Denials
  readonly #attachments: Attachments
  #policy: CompiledPolicy
  #given: CompiledPolicy
  #generation = 0
  #scratch: string | undefined
  #coverage: Coverage | undefined
  #cell: Cell | undefined
  /** Whether it rules nothing but what its sandbox asks this side for. */
  #serves = false

  /** @throws UnenforceableError */
  constructor(options: RulingOptions) {
    this.#options = options
    this.#denials = new Denials(options.policies, (denial) => options.onDenial(denial), options.kill)
    this.#attachments = new Attachments(options.enforcers, options.name, (denial) => this.#denials.tell(denial))
    this.#coverage = this.#check(options.policy, noGaps)
    this.#policy = options.policy
    this.#given = options.given
    this.#note(options.policy)
  }

  get policy(): CompiledPolicy {
    return this.#policy
  }

  get enforcement(): readonly EnforcementEntry[] {
    return this.#coverage?.entries ?? []
  }

  /** The policy in force, without what the supervisor grants. */
  get given(): CompiledPolicy {
    return this.#given
  }

  get counters(): EnforcerCounters {
    return this.#attachments.counters()
  }

  get generation(): number {
    return this.#generation
  }

  /** Whether enforcers may mark its sockets: they do as they are attached, once its engine has it. */
  get marksSockets(): boolean {
    return this.#attachments.needed
  }

  /** What the policy means for the sandbox's Python. */
  get settings(): Readonly<Record<string, unknown>> | undefined {
    const { name, imports } = this.policy
    const list = (rules: readonly { readonly name: string }[]) => rules.map((rule) => rule.name)
    const rules = imports.allow.length + imports.deny.length > 0
    if (!rules && this.#scratch === undefined) return undefined
    return {
      ...(this.#scratch !== undefined && { environment: { TMPDIR: this.#scratch } }),
      ...(rules && { imports: { allow: list(imports.allow), deny: list(imports.deny), policy: name } }),
    }
  }

  /** For the cell's filter: the same object for the same policy, as a zygote serves one set of them. */
  get systemCalls(): { readonly allow: readonly string[]; readonly deny: readonly string[] } | undefined {
    return systemCallsOf(this.#options.policies, this.policy)
  }

  /**
   * Before the sandbox's first line. @throws UnenforceableError, SpawnError, or what an enforcer throws: the caller ends
   * the cell
   */
  begin(cell: Cell): void {
    const step = this.#prepare(this.policy, cell)
    try {
      if (step !== undefined) this.#attachments.attach(cell, step)
    } catch (error) {
      // All of it, also what no enforcer got to: a slot in the kernel would be lost with each failure.
      this.#attachments.detach()
      step?.[Symbol.dispose]()
      throw error
    }
    this.#cell = cell
  }

  /** Of a sandbox that isn't brokered: rules what it asks this side for. */
  serve(cell: Cell): void {
    const { services, places } = cell
    if (services === undefined || places === undefined) return // whoever asks is told so
    this.#cell = cell
    this.#serves = true
    services.serve(this.table(places))
  }

  blank(places: CellPlaces): Uint8Array {
    return brokerTable(this.#options.policies, this.#options.blank, { places, scratch: undefined, logOnly: false })
  }

  table(places: CellPlaces): Uint8Array {
    return this.#tableOf(this.policy, places)
  }

  /**
   * Puts another policy in force: a call is decided by the old one or by the new one. What was frozen at the start can't
   * change. Resolves when what this side has open for the guest has been judged by it, too; `undefined`: there is nothing.
   * @throws UnenforceableError, ReloadError, or what an enforcer throws: the old one stays in force
   */
  replace(given: CompiledPolicy): Promise<void> | undefined {
    const policy = withGrants(given, this.#options.grants)
    const cell = this.#cell
    const put = this.#serves ? cell?.services?.serve.bind(cell.services) : cell?.setTable?.bind(cell)
    if (cell?.places === undefined || put === undefined)
      throw new ReloadError(this.#options.name, ['broker'], 'its engine has no broker')
    frozenDifference(this.#options.name, this.policy, policy)
    const table = this.#tableOf(policy, cell.places)
    const step = this.#prepare(policy, cell)
    const share = this.policy.limits.cpu
    // Known before it decides: its first denial must find its rules.
    this.#note(policy)
    this.#given = given
    put(table)
    if (step !== undefined) this.#attachments.update(step)
    if (policy.limits.cpu !== undefined && policy.limits.cpu !== share) cell.setCpuShare?.(policy.limits.cpu)
    return cell.services?.judgeAgain()
  }

  /** What guests ask for addresses, as a host function. */
  readonly resolve: HostFunction = async (name: unknown) => {
    if (typeof name !== 'string' || name.length === 0 || name.length > 253) throw notFound('not a host name')
    const text = name.toLowerCase().replace(/\.$/, '')
    const { policies, learn } = this.#options
    const { allowed, rule } = policies.explain(this.policy, { kind: 'resolve', name: text })
    if (!allowed || learn) {
      const errno = learn ? 0 : refused
      this.#denials.tell({
        operation: 'resolve',
        object: text,
        rule,
        generation: this.#generation,
        errno,
        lost: 0,
        kill: false,
        allowed,
      })
    }
    if (!allowed && !learn) throw notFound(`the policy does not allow to resolve ${text}`)
    const addresses = await this.#resolver.resolve(text)
    for (const address of addresses) {
      this.#cell?.learnName?.(address, text)
      this.#denials.resolved(text, address)
    }
    return addresses
  }

  /** What the guest's Python says that it may not import, as a host function: believed as far as the policy says so, too. */
  readonly deniedImport: HostFunction = (module: unknown) => {
    if (typeof module !== 'string' || module.length > 255) throw new Error('not a module')
    const { allowed, rule: number } = this.#options.policies.explain(this.policy, { kind: 'import', module })
    if (allowed) return
    const generation = this.#generation
    const rule = this.#denials.ruleOf(generation, number)
    this.#denials.explain({
      operation: 'import',
      object: module,
      rule,
      generation,
      errno: 'ImportError',
      lost: 0,
      toldBy: 'guest',
    })
  }

  /** What it says that it may not execute or call: no policy lets it, so only what could be such a thing is believed. */
  readonly deniedCall: HostFunction = (...said: readonly unknown[]) => {
    const { policies } = this.#options
    const denied = readDeniedCall(said[0], said[1], (name) => policies.explain(this.policy, { kind: 'syscall', name }))
    if (denied === undefined) return
    const { operation, object } = denied
    const generation = this.#generation
    this.#denials.explain({
      operation,
      object,
      rule: this.#ruleOnCall(denied),
      generation,
      errno: 'EPERM',
      lost: 0,
      toldBy: 'guest',
    })
  }

  #ruleOnCall({ operation, object, rule }: DeniedCall): DenialRule | undefined {
    let number = rule
    if (operation === 'exec' && object.startsWith('/')) {
      const found = this.#options.policies.explain(this.policy, { kind: 'exec', path: object })
      // One that would allow it decides nothing: no cell executes a program.
      if (!found.allowed) number = found.rule
    }
    if (number !== undefined) return this.#denials.ruleOf(this.#generation, number)
    return operation === 'exec' || object === 'fork' ? this.#ruleOnLimit('processes') : undefined
  }

  /** A limit was reached, whether it is of the policy or of the spawn. */
  readonly limitReached = ({ limit, seen, lost, toldBy }: LimitNotice): void => {
    const [rule, generation] = [this.#ruleOnLimit(limit), this.#generation]
    this.#denials.explain({ operation: 'limit', object: limit, rule, generation, errno: seen, lost, toldBy })
  }

  #ruleOnLimit(limit: string): DenialRule | undefined {
    return this.#denials.limitOf(this.#generation, limit)
  }

  readonly onDenial = (denial: EngineDenial): void => this.#denials.tell(denial)

  async end(): Promise<void> {
    this.#cell = undefined
    this.#attachments.detach()
    if (this.#scratch !== undefined) await removeScratch(this.#scratch)
  }

  /** What holds then, rule by rule. */
  #check(policy: CompiledPolicy, gapsOf: (enforcer: string) => ReadonlySet<number>): Coverage {
    const { policies, isolation, host, learn, enforcers } = this.#options
    const abilities = { ...host, enforcers: enforcers.map(({ name, keeps }) => ({ name, keeps, gaps: gapsOf(name) })) }
    const found = coverage(policies, policy, isolation, abilities)
    if (found.gaps.length > 0 && policy.enforcement === 'strict' && !learn)
      throw new UnenforceableError(policy.name, found.gaps)
    return found
  }

  /** All that can fail of putting a policy in force; `undefined` without enforcers. */
  #prepare(policy: CompiledPolicy, { places }: Cell): Step | undefined {
    if (!this.#attachments.needed || places === undefined) {
      this.#coverage = this.#check(policy, noGaps)
      return undefined
    }
    const step = this.#attachments.prepare(
      kernelPolicy(this.#options.policies, policy, this.#tableOptions(policy, places)),
    )
    try {
      const gaps = (name: string) => new Set(step.unenforced.get(name)?.map(({ rule }) => rule))
      this.#coverage = this.#check(policy, gaps)
    } catch (error) {
      step[Symbol.dispose]()
      throw error
    }
    return step
  }

  #note(policy: CompiledPolicy): void {
    if (this.#scratch === undefined && needsScratch(policy)) this.#scratch = makeScratch()
    this.#policy = policy
    this.#denials.note(++this.#generation, policy)
  }

  #tableOf(policy: CompiledPolicy, places: CellPlaces): Uint8Array {
    return brokerTable(this.#options.policies, policy, this.#tableOptions(policy, places), this.#tables)
  }

  #tableOptions(policy: CompiledPolicy, places: CellPlaces): TableOptions {
    const needed = needsScratch(policy)
    if (needed) this.#scratch ??= makeScratch()
    return { places, scratch: needed ? this.#scratch : undefined, logOnly: this.#options.learn }
  }
}

const noGaps = (): ReadonlySet<number> => new Set()
const refused = constants.errno.EACCES

const systemCalls = new WeakMap<
  CompiledPolicy,
  { readonly allow: readonly string[]; readonly deny: readonly string[] }
>()

function systemCallsOf(policies: PolicyModule, policy: CompiledPolicy) {
  const known = systemCalls.get(policy) ?? policies.compileSyscalls(policy)
  systemCalls.set(policy, known)
  return known.allow.length + known.deny.length > 0 ? known : undefined
}

function notFound(message: string): Error {
  return Object.assign(new Error(message), { code: 'ENOTFOUND' })
}
