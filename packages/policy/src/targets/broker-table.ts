import ipaddr from 'ipaddr.js'
import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { rulesIn } from '../compile/numbered-rules.js'
import { expand, type Variables } from '../explain/variables.js'
import type { Target } from '../values/target.js'
import {
  abstractFlag,
  denyFlag,
  everyOp,
  fileOps,
  headerBytes,
  logOnlyFlag,
  magic,
  netOps,
  protocols,
  recordBytes,
  subtreeFlag,
  type TableName,
  tableNames,
  version,
} from './broker-layout.js'
import { checkPaths } from './check-paths.js'
import { TableStrings } from './table-strings.js'

/** The guest's folder `guest` is the supervisor's folder `host`. Both absolute and normal. */
export interface View {
  readonly guest: string
  readonly host: string
}

export interface BrokerTableOptions {
  /** A rule on a variable that isn't given is left out. */
  readonly variables?: Variables
  readonly views?: readonly View[]
  /** Decide and report, but perform every operation: how a policy is learned. */
  readonly logOnly?: boolean
}

interface FileRecord {
  readonly path: string
  readonly ops: number
  readonly flags: number
  readonly rule: number
}

/** A target, as `broker-layout.ts` has it. Rules of the same policy give the same bytes. @throws PolicyTargetError */
export function compileBrokerTable(policy: CompiledPolicy, options: BrokerTableOptions = {}): Uint8Array {
  const { variables = {}, views = [], logOnly = false } = options
  checkPaths(variables, views)
  const records = {
    files: files(policy, variables),
    nets: targets(policy).filter(({ target }) => target.protocol !== 'unix'),
    unixes: targets(policy).filter(({ target }) => target.protocol === 'unix'),
    names: rulesIn(policy, 'net.dns'),
    views: [...views].sort((a, b) => Buffer.compare(Buffer.from(a.guest), Buffer.from(b.guest))),
  }
  const offsets = {} as Record<TableName, number>
  let end = headerBytes
  for (const name of tableNames) {
    offsets[name] = end
    end += records[name].length * recordBytes[name]
  }
  const strings = new TableStrings(end)
  const fixed = Buffer.alloc(end)
  const each = <R>(name: TableName, all: readonly R[], write: (at: number, record: R) => void) =>
    all.forEach((record, index) => {
      write(offsets[name] + index * recordBytes[name], record)
    })
  const text = (at: number, value: string) => {
    const { offset, bytes } = strings.put(value)
    fixed.writeUInt32LE(offset, at)
    fixed.writeUInt16LE(bytes, at + 4)
  }
  const pathRecord = (at: number, { path, ops, flags, rule }: FileRecord) => {
    text(at, path)
    fixed[at + 6] = ops
    fixed[at + 7] = flags
    fixed.writeUInt32LE(rule, at + 8)
  }
  each('files', records.files, pathRecord)
  each('nets', records.nets, (at, { target, ops, flags, rule }) => {
    fixed[at] = ops
    fixed[at + 1] = flags
    writePeer(fixed, at, target)
    text(at + 28, target.kind === 'name' ? target.name : '')
    fixed.writeUInt32LE(rule, at + 36)
  })
  each('unixes', records.unixes, (at, { target, ops, flags, rule }) => {
    if (target.kind === 'abstract') pathRecord(at, { path: target.name, ops, flags: flags | abstractFlag, rule })
    else if (target.kind === 'unix')
      pathRecord(at, { path: target.path, ops, flags: flags | (target.subtree ? subtreeFlag : 0), rule })
  })
  each('names', records.names, (at, { number, rule }) => {
    text(at, rule.name)
    fixed.writeUInt32LE(number, at + 8)
  })
  each('views', records.views, (at, { guest, host }) => {
    text(at, inTable(guest))
    text(at + 8, inTable(host))
  })
  const tail = strings.bytes()
  writeHeader(fixed, logOnly, end + tail.length, offsets, records, tail.length)
  return new Uint8Array(Buffer.concat([fixed, tail]))
}

function files(policy: CompiledPolicy, variables: Variables): readonly FileRecord[] {
  const section = (name: 'read' | 'write' | 'exec' | 'deny') =>
    rulesIn(policy, `fs.${name}`).flatMap(({ number, rule }) => {
      const pattern = expand(rule, variables)
      if (pattern === undefined) return []
      const flags = (pattern.subtree ? subtreeFlag : 0) | (name === 'deny' ? denyFlag : 0)
      return [{ path: inTable(pattern.path), ops: name === 'deny' ? everyOp : fileOps[name], flags, rule: number }]
    })
  return (['read', 'write', 'exec', 'deny'] as const)
    .flatMap(section)
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)) || a.rule - b.rule)
}

interface TargetRecord {
  readonly target: Target
  readonly ops: number
  readonly flags: number
  readonly rule: number
}

function targets(policy: CompiledPolicy): readonly TargetRecord[] {
  return (['connect', 'bind', 'sendto', 'deny'] as const).flatMap((name) =>
    rulesIn(policy, `net.${name}`).map(({ number, rule: { target } }) => ({
      target,
      ops: name === 'deny' ? everyOp : netOps[name],
      flags: name === 'deny' ? denyFlag : 0,
      rule: number,
    })),
  )
}

/** The root folder has no bytes. */
function inTable(path: string): string {
  return path === '/' ? '' : path
}

function writePeer(fixed: Buffer, at: number, target: Target): void {
  if (target.protocol === 'unix') return
  fixed[at + 2] = protocols[target.protocol]
  fixed.writeUInt16LE(target.ports.from, at + 8)
  fixed.writeUInt16LE(target.ports.to, at + 10)
  if (target.kind === 'name') return
  const [address, bits] = ipaddr.parseCIDR(target.cidr)
  fixed[at + 3] = address.kind() === 'ipv4' ? 4 : 6
  fixed[at + 4] = bits
  fixed.set(address.toByteArray(), at + 12)
}

function writeHeader(
  fixed: Buffer,
  logOnly: boolean,
  bytes: number,
  offsets: Readonly<Record<TableName, number>>,
  records: Readonly<Record<TableName, readonly unknown[]>>,
  stringBytes: number,
): void {
  fixed.writeUInt32LE(magic, 0)
  fixed.writeUInt16LE(version, 4)
  fixed.writeUInt16LE(logOnly ? logOnlyFlag : 0, 6)
  fixed.writeUInt32LE(bytes, 8)
  for (const [index, name] of tableNames.entries()) {
    fixed.writeUInt32LE(records[name].length, 12 + index * 8)
    fixed.writeUInt32LE(offsets[name], 16 + index * 8)
  }
  fixed.writeUInt32LE(bytes - stringBytes, 52)
  fixed.writeUInt32LE(stringBytes, 56)
}
