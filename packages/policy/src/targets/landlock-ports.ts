import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { rulesIn } from '../compile/numbered-rules.js'
import type { Ports, Target } from '../values/target.js'
import { coversTarget } from '../values/target-match.js'
import type { InexactRule, LandlockPorts } from './landlock.js'

interface Allowed {
  readonly rule: number
  readonly kind: 'connect' | 'bind' | 'sendto'
  readonly target: Target
}

type Why = readonly ['looser' | 'stricter', string]

export function portGrants(policy: CompiledPolicy): {
  readonly ports: readonly LandlockPorts[]
  readonly inexact: readonly InexactRule[]
} {
  const denied = rulesIn(policy, 'net.deny').map(({ number, rule }) => ({ rule: number, target: rule.target }))
  const allowed = (['connect', 'bind', 'sendto'] as const)
    .flatMap((kind) =>
      rulesIn(policy, `net.${kind}`).map(({ number, rule }): Allowed => ({ rule: number, kind, target: rule.target })),
    )
    .filter(({ target }) => !denied.some((deny) => coversTarget(deny.target, target)))
  const inexact = (rule: number, why: Why | undefined): readonly InexactRule[] =>
    why === undefined ? [] : [{ rule, effect: why[0], when: 'always', why: why[1] }]
  return {
    ports: allowed.flatMap(portsOf),
    inexact: [
      ...allowed.flatMap((one) => inexact(one.rule, whyAllowed(one, allowed))),
      ...denied.flatMap(({ rule, target }) => inexact(rule, whyDenied(target, allowed))),
    ],
  }
}

function portsOf({ rule, kind, target }: Allowed): readonly LandlockPorts[] {
  if (target.protocol !== 'tcp' || kind === 'sendto') return []
  const { from, to } = target.ports
  const access = kind === 'bind' ? 'bind_tcp' : 'connect_tcp'
  // Port 0 has the kernel choose one: Landlock wants it named.
  return [{ access, from: from === 1 && to === 65_535 ? 0 : from, to, rules: [rule] }]
}

function whyAllowed({ kind, target }: Allowed, allowed: readonly Allowed[]): Why | undefined {
  if (target.kind === 'abstract')
    return kind === 'bind'
      ? ['looser', 'binding to a name is not ruled on']
      : ['stricter', 'no abstract socket of another process is reached']
  if (target.kind === 'unix')
    return kind === 'bind'
      ? ['stricter', 'no socket is made in a folder']
      : ['looser', 'paths of sockets are not ruled on']
  if (target.protocol === 'udp') return ['looser', 'UDP is not ruled on']
  if (kind === 'sendto') return ['looser', 'where TCP sends to is not ruled on']
  const anywhere = ['0.0.0.0/0', '::/0'].every((cidr) =>
    allowed.some((one) => one.kind === kind && coversTarget(one.target, everywhere(cidr, target.ports))),
  )
  return anywhere ? undefined : ['looser', 'ports are granted for every address']
}

function everywhere(cidr: string, ports: Ports): Target {
  return { kind: 'address', protocol: 'tcp', cidr, ports }
}

function whyDenied(target: Target, allowed: readonly Allowed[]): Why | undefined {
  if (target.kind === 'abstract') return ['looser', 'binding to a name is not ruled on']
  if (target.kind === 'unix') return ['looser', 'paths of sockets are not ruled on']
  if (target.protocol === 'udp') return ['looser', 'UDP is not ruled on']
  const reached = allowed.some(
    (one) =>
      one.target.protocol === 'tcp' &&
      one.target.ports.from <= target.ports.to &&
      target.ports.from <= one.target.ports.to,
  )
  return reached ? ['looser', 'its ports are allowed for other addresses'] : undefined
}
