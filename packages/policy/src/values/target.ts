import ipaddr from 'ipaddr.js'
import { pathFault } from './path.js'

export type Protocol = 'tcp' | 'udp' | 'unix'

/** Whom a rule lets be reached. */
export type Target =
  | { readonly kind: 'address'; readonly protocol: 'tcp' | 'udp'; readonly cidr: string; readonly ports: Ports }
  | { readonly kind: 'name'; readonly protocol: 'tcp' | 'udp'; readonly name: string; readonly ports: Ports }
  | { readonly kind: 'unix'; readonly protocol: 'unix'; readonly path: string; readonly subtree: boolean }
  | { readonly kind: 'abstract'; readonly protocol: 'unix'; readonly name: string }

export interface Ports {
  readonly from: number
  readonly to: number
}

/** Bytes of a name that `sun_path` holds behind its leading NUL (unix(7)). */
const longestAbstract = 107

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/

/** What is wrong with it, in words; or the target. `tcp://host:port`, `udp://[::]/0:*`, `unix:///path`, `unix://@name`. */
export function readTarget(text: string): Target | { readonly wrong: string } {
  const match = /^([a-z]+):\/\/(.*)$/s.exec(text)
  if (match === null) return { wrong: `${JSON.stringify(text)} has no protocol` }
  const [, protocol, rest] = match as unknown as [string, string, string]
  if (protocol === 'unix') return readUnix(rest)
  if (protocol !== 'tcp' && protocol !== 'udp') return { wrong: `the protocol ${protocol} is not known` }
  const colon = rest.lastIndexOf(':')
  if (colon < 0 || rest.endsWith(']')) return { wrong: 'a target without a port' }
  const ports = readPorts(rest.slice(colon + 1))
  if (ports === undefined) return { wrong: `${JSON.stringify(rest.slice(colon + 1))} is not a port, a range or *` }
  const host = rest.slice(0, colon)
  const cidr = readCidr(host)
  if (cidr !== undefined) return { kind: 'address', protocol, cidr, ports }
  const name = readName(host)
  if (name !== undefined) return { kind: 'name', protocol, name, ports }
  return { wrong: `${JSON.stringify(host)} is neither an address, a network nor a name` }
}

function readUnix(rest: string): Target | { readonly wrong: string } {
  if (rest.startsWith('@')) {
    const name = rest.slice(1)
    const bytes = Buffer.byteLength(name)
    if (bytes === 0 || bytes > longestAbstract || /\p{Surrogate}/u.test(name))
      return { wrong: `an abstract socket's name that is empty, longer than ${longestAbstract} bytes, or no text` }
    return { kind: 'abstract', protocol: 'unix', name }
  }
  const subtree = rest.endsWith('/**')
  const path = subtree ? rest.slice(0, -3) : rest
  return path === '/' || path.includes('*') || pathFault(path) !== undefined
    ? { wrong: 'a socket path that is not absolute and normal' }
    : { kind: 'unix', protocol: 'unix', path, subtree }
}

/** As a policy says it. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'unix':
      return `unix://${target.path}${target.subtree ? '/**' : ''}`
    case 'abstract':
      return `unix://@${target.name}`
    case 'name':
      return `${target.protocol}://${target.name}:${formatPorts(target.ports)}`
    case 'address': {
      const [address, bits] = target.cidr.split('/') as [string, string]
      const host = address.includes(':') ? `[${address}]` : address
      const whole = bits === (address.includes(':') ? '128' : '32')
      return `${target.protocol}://${host}${whole ? '' : `/${bits}`}:${formatPorts(target.ports)}`
    }
  }
}

function formatPorts({ from, to }: Ports): string {
  if (from === 1 && to === 65_535) return '*'
  return from === to ? String(from) : `${from}-${to}`
}

function readPorts(text: string): Ports | undefined {
  if (text === '*') return { from: 1, to: 65_535 }
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const from = Number(match[1])
  const to = match[2] === undefined ? from : Number(match[2])
  return from >= 1 && from <= to && to <= 65_535 ? { from, to } : undefined
}

/** An address or a network in the usual form; host bits that a prefix leaves over are refused, as they mean a mistake. */
export function readCidr(text: string): string | undefined {
  // A zone (fe80::1%eth0) means another interface on every host.
  if (text === '*' || text.includes('%')) return undefined
  const bare = text.replace(/^\[(.*)\]((?:\/\d+)?)$/, '$1$2')
  const [address, prefix] = bare.split('/') as [string, string | undefined]
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return undefined
  const parsed = ipaddr.parse(address)
  const bits = parsed.kind() === 'ipv4' ? 32 : 128
  const length = prefix === undefined ? bits : Number(prefix)
  if (!Number.isInteger(length) || length < 0 || length > bits) return undefined
  // Mapped into IPv6 it would never fit what is connected to, which is looked at as IPv4: say it as such.
  if (parsed.kind() === 'ipv6' && (parsed as ipaddr.IPv6).isIPv4MappedAddress()) return undefined
  const network = `${parsed.toString()}/${length}`
  const base =
    parsed.kind() === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(network) : ipaddr.IPv6.networkAddressFromCIDR(network)
  return base.toString() === parsed.toString() ? network : undefined
}

/** A host name in lower case, `*.` before it for all below, or `*` for any. */
export function readName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '')
  return name === '*' || isName(name) ? name : undefined
}

function isName(text: string): boolean {
  const labels = text.replace(/^\*\./, '').split('.')
  // What ends in a number is an address that was mistyped (WHATWG URL, "ends in a number").
  return text.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1)!)
}
