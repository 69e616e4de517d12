import { getSystemErrorName } from 'node:util'
import type { Denial as EngineDenial } from '@pyisolate/interface'
import type { CompiledPolicy, NumberedRule } from '@pyisolate/policy'
import type { Denial, DenialRule } from '../../denial.js'
import { Pace } from './pace.js'
import type { PolicyModule } from './policy-module.js'

/** Denials that come later than this many reloads name no rule. */
const mostKnown = 64
const mostNames = 4096

/** Gives a sandbox's denials what the engine knows by number only: rules, policies, names. */
export class Denials {
  readonly #pace = new Pace()
  /** The latest by generation: denials of an old one may still be on their way. */
  readonly #known = new Map<number, CompiledPolicy>()
  readonly #names = new Map<string, string>()

  constructor(
    private readonly policies: PolicyModule,
    private readonly listener: (denial: Denial) => void,
    /** Ends the sandbox: it broke a contract that demands it. */
    private readonly kill: (contract: string) => void,
  ) {}

  note(generation: number, policy: CompiledPolicy): void {
    this.#known.set(generation, policy)
    this.#known.delete(generation - mostKnown)
  }

  resolved(name: string, address: string): void {
    if (this.#names.size >= mostNames) this.#names.clear()
    this.#names.set(address, name)
  }

  tell({ rule: number, errno, kill, ...denial }: Omit<EngineDenial, 'operation'> & Pick<Denial, 'operation'>): void {
    const policy = this.#known.get(denial.generation)
    const rule =
      denial.operation === 'limit'
        ? this.limitOf(denial.generation, denial.object)
        : this.ruleOf(denial.generation, number ?? this.#callRule(policy, denial))
    this.listener({
      ...denial,
      name: this.#names.get(addressOf(denial.object)),
      rule,
      policy: policy?.name ?? '',
      toldBy: 'supervisor',
      errno: errno === 0 ? undefined : getSystemErrorName(-errno),
    })
    if (kill) this.kill(rule?.text ?? 'a contract')
  }

  /** A system call is known by name alone to whoever denies it. */
  #callRule(policy: CompiledPolicy | undefined, { operation, object }: Pick<Denial, 'operation' | 'object'>) {
    if (operation !== 'call' || policy === undefined) return undefined
    return this.policies.explain(policy, { kind: 'syscall', name: object }).rule
  }

  /** What the guest's own side says, or counts: so many a second. */
  explain(denial: Pick<Denial, 'operation' | 'object' | 'rule' | 'errno' | 'toldBy' | 'generation' | 'lost'>): void {
    const lost = this.#pace.take(denial.lost)
    if (lost === undefined) return
    const policy = this.#known.get(denial.generation)?.name ?? ''
    this.listener({ ...denial, name: undefined, policy, lost, allowed: false })
  }

  /** Where this generation's policy says it; `undefined` for a limit that isn't its. */
  limitOf(generation: number, limit: string): DenialRule | undefined {
    const { limits, limitPlaces } = (this.#known.get(generation) ?? {}) as {
      limits?: Readonly<Record<string, number | undefined>>
      limitPlaces?: Readonly<Record<string, { file: string; line: number } | undefined>>
    }
    const [value, place] = [limits?.[limit], limitPlaces?.[limit]]
    if (value === undefined || place === undefined) return undefined
    return { number: undefined, section: `limits.${limit}`, text: String(value), file: place.file, line: place.line }
  }

  /** @param number of a rule of this generation */
  ruleOf(generation: number, number: number | undefined): DenialRule | undefined {
    const policy = this.#known.get(generation)
    const rule = number === undefined || policy === undefined ? undefined : rulesOf(this.policies, policy)[number]
    return rule && describe(rule)
  }
}

function addressOf(object: string): string {
  return /^(?:tcp|udp):\/\/\[?([^\]]+?)\]?:\d+$/.exec(object)?.[1] ?? ''
}

const rules = new WeakMap<CompiledPolicy, readonly NumberedRule[]>()

function rulesOf(policies: PolicyModule, policy: CompiledPolicy): readonly NumberedRule[] {
  const known = rules.get(policy) ?? policies.numberedRules(policy)
  rules.set(policy, known)
  return known
}

function describe({ number, section, text, place }: NumberedRule): DenialRule {
  return { number, section, text, file: place.file, line: place.line }
}
