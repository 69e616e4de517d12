import ipaddr from 'ipaddr.js'
import type { Ports, Target } from './target.js'

/** Whether everything `inner` lets be reached is reached by `outer`. */
export function coversTarget(outer: Target, inner: Target): boolean {
  if (outer.protocol !== inner.protocol) return false
  if (outer.kind === 'address') {
    return inner.kind === 'address' && coversPorts(outer.ports, inner.ports) && coversNetwork(outer.cidr, inner.cidr)
  }
  if (outer.kind === 'name') {
    return inner.kind === 'name' && coversPorts(outer.ports, inner.ports) && coversName(outer.name, inner.name)
  }
  if (outer.kind === 'abstract') return inner.kind === 'abstract' && inner.name === outer.name
  if (inner.kind !== 'unix') return false
  return outer.path === inner.path
    ? outer.subtree || !inner.subtree
    : outer.subtree && inner.path.startsWith(`${outer.path}/`)
}

/** `*` covers every name, `*.example.org` every one below it, but not itself. */
export function coversName(outer: string, inner: string): boolean {
  if (outer === '*' || outer === inner) return true
  return outer.startsWith('*.') && inner.length >= outer.length && inner.endsWith(outer.slice(1))
}

export function coversPorts(outer: Ports, inner: Ports): boolean {
  return outer.from <= inner.from && inner.to <= outer.to
}

function coversNetwork(outer: string, inner: string): boolean {
  const [network, length] = ipaddr.parseCIDR(outer)
  const [address, innerLength] = ipaddr.parseCIDR(inner)
  return network.kind() === address.kind() && length <= innerLength && inNetwork(address, network, length)
}

/** An address is the one it leads to: an IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is IPv4. */
export function matchesNetwork(cidr: string, address: string): boolean {
  const [network, length] = ipaddr.parseCIDR(cidr)
  const parsed = ipaddr.process(address)
  return parsed.kind() === network.kind() && inNetwork(parsed, network, length)
}

type Address = ReturnType<typeof ipaddr.parse>

function inNetwork(address: Address, network: Address, length: number): boolean {
  return (address as { match(other: Address, bits: number): boolean }).match(network, length)
}
