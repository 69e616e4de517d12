import { type Place, PolicyError } from '../errors/policy-error.js'
import type { PolicyDocument } from '../schema/policy-document.js'
import { coversModule } from '../values/module-name.js'
import { covers } from '../values/path.js'
import { coversTarget } from '../values/target-match.js'

/**
 * An allow rule that a deny rule covers whole allows nothing: whoever wrote it meant something else. A document's own
 * rules are held against its own denials and against those it extends; what it denies of its parents is its right.
 * @throws PolicyError
 */
export function refuseContradictions(own: Partial<PolicyDocument>, all: readonly Partial<PolicyDocument>[]): void {
  const { fs = {}, net = {}, imports = {}, syscalls = {} } = own
  const denied = {
    fs: all.flatMap((one) => one.fs?.deny ?? []),
    net: all.flatMap((one) => one.net?.deny ?? []),
    imports: all.flatMap((one) => one.imports?.deny ?? []),
    syscalls: all.flatMap((one) => one.syscalls?.deny ?? []),
  }
  for (const rule of [...(fs.read ?? []), ...(fs.write ?? []), ...(fs.exec ?? [])]) {
    refuse(
      rule,
      denied.fs.find((deny) => covers(deny, rule)),
    )
  }
  for (const rule of [...(net.connect ?? []), ...(net.bind ?? []), ...(net.sendto ?? [])]) {
    refuse(
      rule,
      denied.net.find((deny) => coversTarget(deny.target, rule.target)),
    )
  }
  for (const rule of imports.allow ?? [])
    refuse(
      rule,
      denied.imports.find((deny) => coversModule(deny.name, rule.name)),
    )
  for (const rule of syscalls.allow ?? [])
    refuse(
      rule,
      denied.syscalls.find((deny) => deny.name === rule.name),
    )
}

function refuse(allow: { readonly place: Place }, deny: { readonly place: Place } | undefined): void {
  if (deny === undefined) return
  const { file, line } = deny.place
  throw new PolicyError('contradiction', allow.place, `what is allowed here is denied whole at ${file}:${line}`, {
    expected: 'one of the two',
  })
}
