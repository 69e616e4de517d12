import { matchesPath } from '../values/path.js'
import type { Ports, Target } from '../values/target.js'
import { coversName, matchesNetwork } from '../values/target-match.js'
import type { Operation } from './operation.js'

type Socket = Extract<Operation, { readonly protocol: string }>

/**
 * Whether a target is what an operation on a socket reaches for. Port 0 lets the kernel choose one (bind(2), ip(7)): it
 * is reached if `every` port is, or for a denial if `some` is.
 */
export function reaches(target: Target, operation: Socket, anyPort: 'some' | 'every'): boolean {
  if (target.protocol !== operation.protocol) return false
  if ('port' in operation) {
    if (target.kind !== 'address' && target.kind !== 'name') return false
    if (!fitsPort(target.ports, operation.port, anyPort)) return false
    if (target.kind === 'address') return matchesNetwork(target.cidr, operation.address)
    return operation.name !== undefined && coversName(target.name, operation.name.toLowerCase().replace(/\.$/, ''))
  }
  if ('abstract' in operation) return target.kind === 'abstract' && target.name === operation.abstract
  return target.kind === 'unix' && matchesPath(target, operation.path)
}

function fitsPort({ from, to }: Ports, port: number, anyPort: 'some' | 'every'): boolean {
  if (port === 0) return anyPort === 'some' || (from === 1 && to === 65_535)
  return from <= port && port <= to
}
