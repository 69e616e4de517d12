import type { EnforcementEntry, Enforcer, Isolation } from '@pyisolate/interface'
import type { CompiledPolicy, Contract, Expression, NumberedRule } from '@pyisolate/policy'
import type { UnenforceableRule } from '../../errors/unenforceable-error.js'
import type { PolicyModule } from './policy-module.js'

/** What keeps a rule or limit; or why nothing does. */
type Keeper = { readonly by: string } | { readonly why: string }

const bySection: Readonly<Record<NumberedRule['section'], Keeper>> = {
  'fs.read': { by: 'broker' },
  'fs.write': { by: 'broker' },
  'fs.exec': { why: 'a cell never executes a program, so this can be granted to nobody' },
  'fs.deny': { by: 'broker' },
  'net.connect': { by: 'broker' },
  'net.bind': { by: 'broker' },
  'net.sendto': { by: 'broker' },
  'net.deny': { by: 'broker' },
  'net.dns': { by: 'resolver' },
  'syscalls.allow': { by: 'seccomp' },
  'syscalls.deny': { by: 'seccomp' },
  'imports.allow': { by: 'audit-hook' },
  'imports.deny': { by: 'audit-hook' },
  contracts: { by: 'broker' },
}

const byLimit: Readonly<Record<keyof CompiledPolicy['limits'], Keeper>> = {
  memory: { by: 'rlimit' },
  cpu: { by: 'cgroup' },
  cpuTime: { by: 'supervisor' },
  wallTime: { by: 'supervisor' },
  processes: { by: 'seccomp' },
  threads: { by: 'rlimit' },
  openFiles: { by: 'rlimit' },
  fileSize: { by: 'rlimit' },
  output: { by: 'supervisor' },
  bandwidthIn: { why: 'without an enforcer such as bpfBandwidth() nothing meters what a socket receives' },
  bandwidthOut: { why: 'without an enforcer such as bpfBandwidth() nothing meters what a socket sends' },
  messages: { by: 'supervisor' },
}

const inSharedCell: Partial<typeof byLimit> = {
  memory: { by: 'allocator' },
  threads: { by: 'engine' },
  cpu: { why: 'a share of the CPU is limited for whole processes' },
  openFiles: { why: 'descriptors are counted for the whole cell: set interpreters.openFiles of the supervisor' },
  fileSize: { why: 'the size of files is limited for the whole cell' },
}

export interface EnforcerAbility extends Pick<Enforcer, 'name' | 'keeps'> {
  /** The numbers of the rules that it can't keep. */
  readonly gaps: ReadonlySet<number>
}

export interface HostAbilities {
  readonly enforcers: readonly EnforcerAbility[]
  /** Why no share of the CPU can be limited; `undefined` if it can. Asked only where a policy limits it. */
  cpuMissing(): string | undefined
}

export interface Coverage {
  /** Rule by rule, and limit by limit, who keeps it. */
  readonly entries: readonly EnforcementEntry[]
  readonly gaps: readonly UnenforceableRule[]
}

/** Who enforces what of a policy on this host. */
export function coverage(
  policies: PolicyModule,
  policy: CompiledPolicy,
  isolation: Isolation,
  host: HostAbilities,
): Coverage {
  // Now, as they stand: what keeps a limit is asked of the host.
  const limits = (Object.entries(policy.limits) as [keyof CompiledPolicy['limits'], number][]).map(
    ([name, value]) => [name, value, keeperOf(name, isolation, host)] as const,
  )
  let whole: Coverage | undefined
  const look = (): Coverage => {
    whole ??= survey(policies, policy, limits, host)
    return whole
  }
  // A reload waits for the gaps alone, and most policies can't have one: the rest is put together when somebody looks.
  const sure =
    policy.fs.exec.length === 0 && policy.contracts.length === 0 && limits.every(([, , keeper]) => 'by' in keeper)
  return {
    get entries() {
      return look().entries
    },
    gaps: sure ? [] : look().gaps,
  }
}

type KeptLimit = readonly [name: keyof CompiledPolicy['limits'], value: number, keeper: Keeper]

function survey(
  policies: PolicyModule,
  policy: CompiledPolicy,
  limits: readonly KeptLimit[],
  host: HostAbilities,
): Coverage {
  const entries: EnforcementEntry[] = []
  const gaps: UnenforceableRule[] = []
  const essential = policy.enforcement === 'strict'
  const note = (section: string, text: string, place: UnenforceableRule['place'], keepers: readonly Keeper[]): void => {
    const at = place === undefined ? '' : ` (${place.file}:${place.line})`
    const detail = `${section}: ${text}${at}`
    const active = keepers.flatMap((keeper) => ('by' in keeper ? [keeper.by] : []))
    for (const mechanism of active) entries.push({ mechanism, state: 'active', essential, detail })
    const gap = keepers.find((keeper) => 'why' in keeper)
    if (active.length > 0 || gap === undefined) return
    entries.push({ mechanism: 'none', state: 'unavailable', essential, detail: `${detail}: ${gap.why}` })
    gaps.push({ section, text, place, why: gap.why })
  }
  const contracts = policy.contracts.values()
  for (const { number, section, text, place } of policies.numberedRules(policy)) {
    const own = section === 'contracts' ? contractKeeper(contracts.next().value!) : bySection[section]
    note(section, text, place, [own, ...enforcersOf(section, number, host)])
  }
  for (const [name, value, keeper] of limits) note(`limits.${name}`, String(value), policy.limitPlaces[name], [keeper])
  return { entries, gaps }
}

function enforcersOf(section: string, rule: number | undefined, { enforcers }: HostAbilities): readonly Keeper[] {
  return enforcers.flatMap(({ name, keeps, gaps }) =>
    (keeps as ReadonlySet<string>).has(section) && (rule === undefined || !gaps.has(rule)) ? [{ by: name }] : [],
  )
}

/** What a connected socket carries goes to the kernel directly: nobody here counts its bytes. */
const uncounted = ['bytes_sent', 'bytes_received']

function contractKeeper({ on, assert }: Contract): Keeper {
  if (on === 'exec') return bySection['fs.exec']
  const operand = operandsOf(assert).find((name) => uncounted.includes(name))
  return operand === undefined ? bySection.contracts : { why: `nothing here counts ${operand}` }
}

function operandsOf(expression: Expression): readonly string[] {
  if (expression.op === 'operand') return [expression.name]
  if (expression.op === 'not') return operandsOf(expression.of)
  if (expression.op === 'in-network' || expression.op === 'in-path') return []
  return 'right' in expression ? [...operandsOf(expression.left), ...operandsOf(expression.right)] : []
}

function keeperOf(name: keyof CompiledPolicy['limits'], isolation: Isolation, host: HostAbilities): Keeper {
  const why = name === 'cpu' && isolation === 'process' ? host.cpuMissing() : undefined
  if (why !== undefined) return { why }
  const own = (isolation === 'interpreter' ? inSharedCell[name] : undefined) ?? byLimit[name]
  return 'by' in own ? own : (enforcersOf(`limits.${name}`, undefined, host)[0] ?? own)
}
