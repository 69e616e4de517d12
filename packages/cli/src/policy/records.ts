import type { FileRecord, NetRecord, UnixRecord } from '@pyisolate/policy'

const fileOps = ['read', 'write', 'exec']
const netOps = ['connect', 'bind', 'sendto']

export function readableFile({ path, subtree, ops, deny, rule }: FileRecord) {
  return { rule, decides: decides(deny), ops: named(ops, fileOps), path, subtree }
}

export function readableUnix({ path, subtree, abstract, ops, deny, rule }: UnixRecord) {
  const socket = abstract ? { abstract: path } : { path, subtree }
  return { rule, decides: decides(deny), ops: named(ops, netOps), ...socket }
}

export function readableNet({ ops, deny, protocol, family, prefix, from, to, address, name, rule }: NetRecord) {
  const peer = family === 0 ? { name } : { network: `${addressText(family, address)}/${prefix}` }
  const ports = from === to ? String(from) : `${from}-${to}`
  return {
    rule,
    decides: decides(deny),
    ops: named(ops, netOps),
    protocol: protocol === 6 ? 'tcp' : 'udp',
    ...peer,
    ports,
  }
}

function decides(deny: boolean): string {
  return deny ? 'deny' : 'allow'
}

function named(bits: number, names: readonly string[]): readonly string[] {
  return names.filter((_, bit) => (bits & (1 << bit)) !== 0)
}

/** Of IPv6 the short form (RFC 5952), which URL gives. */
function addressText(family: 4 | 6, bytes: readonly number[]): string {
  if (family === 4) return bytes.slice(0, 4).join('.')
  const words = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2]! << 8) | bytes[at * 2 + 1]!).toString(16))
  return new URL(`http://[${words.join(':')}]`).hostname.slice(1, -1)
}
