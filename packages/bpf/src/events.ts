import { isIPv4 } from 'node:net'
import { errnoName } from './errors/bpf-error.js'
import { decode, layouts, noRule } from './internal/layout.js'
import { type HookName, hookNames } from './policy.js'

/** In the order of enum pyi_operation. */
export const operations = [
  ...hookNames,
  'rmdir',
  'mknod',
  'link',
  'symlink',
  'truncate',
  'chmod',
  'chown',
  'chroot',
  'socket',
  'listen',
  'mmap',
  'mprotect',
  'kill',
  'ptrace',
  'bpf',
  'mount',
  'receive',
] as const
export type BpfOperation = (typeof operations)[number]

export interface DenialEvent {
  readonly kind: 'denied'
  readonly sandbox: bigint
  /** Of the deciding rule; none: no rule allows it. */
  readonly rule: number | undefined
  readonly operation: BpfOperation
  /** `EACCES`. */
  readonly error: string
  readonly generation: number
  /** Denials of this sandbox before this one that no event was made of. */
  readonly lost: number
  /** CLOCK_MONOTONIC. */
  readonly timeNs: bigint
  /** A path, `@name` of an abstract socket, or `tcp://1.2.3.4:80`; a path over 255 bytes without its beginning. */
  readonly object: string
}

export interface ContractEvent {
  readonly kind: 'contract'
  readonly sandbox: bigint
  readonly rule: number
  readonly hook: HookName
  readonly action: 'deny' | 'log' | 'kill'
}

/** A packet was dropped, as a sandbox had sent or received as much as its limit lets it; once a second at most. */
export interface LimitEvent {
  readonly kind: 'limit'
  readonly sandbox: bigint
  readonly limit: 'bandwidthIn' | 'bandwidthOut'
  /** Packets of this direction that were dropped before, since the last event. */
  readonly lost: number
}

export type BpfEvent = DenialEvent | ContractEvent

const onAddresses: ReadonlySet<BpfOperation> = new Set(['connect', 'bind', 'sendto', 'socket'])
const protocols: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmp6',
  132: 'sctp',
  255: 'raw',
  262: 'mptcp',
}

/** Undefined for a record of no known kind. */
export function readEvent(record: Buffer): BpfEvent | undefined {
  if (record.length < 8) return undefined
  const kind = record.readUInt32LE(0)
  if (kind === 2 && record.length >= layouts.pyi_contract_event.bytes) {
    const field = (name: 'contract' | 'hook' | 'action') => Number(decode('pyi_contract_event', record, name))
    const hook = hookNames[field('hook')]
    const action = (['deny', 'log', 'kill'] as const)[field('action')]
    if (hook === undefined || action === undefined) return undefined
    const sandbox = decode('pyi_contract_event', record, 'sandbox')
    return { kind: 'contract', sandbox, rule: field('contract'), hook, action }
  }
  if (kind !== 1 || record.length < layouts.pyi_event.bytes) return undefined
  const field = (name: 'rule' | 'operation' | 'error' | 'policy_generation' | 'lost') =>
    Number(decode('pyi_event', record, name))
  const operation = operations[field('operation')]
  if (operation === undefined) return undefined
  const object = record.subarray(layouts.pyi_event.fields.object[0])
  return {
    kind: 'denied',
    sandbox: decode('pyi_event', record, 'sandbox'),
    rule: field('rule') === noRule ? undefined : field('rule'),
    operation,
    error: errnoName(field('error')),
    generation: field('policy_generation'),
    lost: field('lost'),
    timeNs: decode('pyi_event', record, 'ktime_ns'),
    object: onAddresses.has(operation) && object[0] !== 0x2f && object[0] !== 0x40 ? address(object) : text(object),
  }
}

/** Undefined for a record of another kind. */
export function readLimitEvent(record: Buffer): LimitEvent | undefined {
  if (record.length < layouts.pyi_limit_event.bytes || record.readUInt32LE(0) !== 3) return undefined
  const field = (name: 'out' | 'sandbox' | 'lost') => decode('pyi_limit_event', record, name)
  const limit = field('out') === 0n ? 'bandwidthIn' : 'bandwidthOut'
  return { kind: 'limit', sandbox: field('sandbox'), limit, lost: Number(field('lost')) }
}

function text(object: Buffer): string {
  const end = object.indexOf(0)
  return object.subarray(0, end < 0 ? object.length : end).toString()
}

/** struct pyi_address. Its first byte is a family, which is no `/` or `@`. */
function address(object: Buffer): string {
  const field = (name: 'family' | 'protocol' | 'port' | 'af') => Number(decode('pyi_address', object, name))
  const protocol = protocols[field('protocol')] ?? `protocol-${field('protocol')}`
  const bytes = object.subarray(layouts.pyi_address.fields.address[0])
  if (field('family') === 4) return `${protocol}://${[...bytes.subarray(0, 4)].join('.')}:${field('port')}`
  if (field('family') !== 6) return `address family ${field('af')}`
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16))
  const plain = groups.join(':')
  return `${protocol}://${isIPv4(plain) ? plain : `[${plain}]`}:${field('port')}`
}
