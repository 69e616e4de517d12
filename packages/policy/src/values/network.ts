import ipaddr from 'ipaddr.js'

/** A network as bytes. */
export interface Network {
  readonly family: 4 | 6
  readonly prefix: number
  /** 16 in network order, an IPv4 address in the first four. */
  readonly address: readonly number[]
}

/** Policies name the same networks again and again, above all those of a template; reading one costs microseconds. */
const known = new Map<string, Network>()
const mostKnown = 4096

/** `cidr`: as `readCidr` gives it. @throws Error if it is none */
export function networkOf(cidr: string): Network {
  const before = known.get(cidr)
  if (before !== undefined) return before
  const [parsed, prefix] = ipaddr.parseCIDR(cidr)
  const address = new Array<number>(16).fill(0)
  for (const [at, byte] of parsed.toByteArray().entries()) address[at] = byte
  const network: Network = Object.freeze({
    family: parsed.kind() === 'ipv4' ? 4 : 6,
    prefix,
    address: Object.freeze(address),
  })
  if (known.size >= mostKnown) known.clear()
  known.set(cidr, network)
  return network
}
