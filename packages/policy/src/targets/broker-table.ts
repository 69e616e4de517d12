import type { CompiledPolicy } from '../compile/compiled-policy.js'
import type { Variables } from '../explain/variables.js'
import { sortedByBytes } from '../values/sort-bytes.js'
import * as layout from './broker-layout.js'
import { checkPaths } from './check-paths.js'
import { withContracts } from './contract-section.js'
import {
  type FileRecord,
  fileRecords,
  type NameRecord,
  type NetRecord,
  nameRecords,
  netRecords,
  type UnixRecord,
  unixRecords,
} from './rule-records.js'
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

/** What a table says, record by record. */
export interface BrokerRecords {
  readonly logOnly: boolean
  readonly files: readonly FileRecord[]
  readonly nets: readonly NetRecord[]
  readonly unixes: readonly UnixRecord[]
  readonly names: readonly NameRecord[]
  readonly views: readonly View[]
}

/**
 * What the broker's threads decide by, as `broker-layout.ts` has it. The same rules in the same order give the same
 * bytes. @throws PolicyTargetError
 */
export function compileBrokerTable(policy: CompiledPolicy, options: BrokerTableOptions = {}): Uint8Array {
  const { variables = {}, views = [], logOnly = false } = options
  checkPaths(variables, views)
  const table = writeTable({
    logOnly,
    files: fileRecords(policy, variables),
    nets: netRecords(policy),
    unixes: unixRecords(policy),
    names: nameRecords(policy),
    // A folder inside another comes before it: the first that fits is the innermost.
    views: sortedByBytes(views, ({ guest }) => guest).toReversed(),
  })
  return withContracts(table, policy)
}

function writeTable(records: BrokerRecords): Uint8Array {
  const offsets = new Map<layout.TableName, number>()
  let end = layout.headerBytes
  for (const name of layout.tableNames) {
    offsets.set(name, end)
    end += records[name].length * layout.recordBytes[name]
  }
  const strings = new TableStrings(end)
  const fixed = Buffer.alloc(end)
  for (const name of layout.tableNames) {
    const table = records[name] as readonly never[]
    const write = writers[name] as Writer<never>
    for (const [index, record] of table.entries())
      write(fixed, offsets.get(name)! + index * layout.recordBytes[name], strings, record)
    fixed.writeUInt32LE(table.length, layout.countAt(name))
    fixed.writeUInt32LE(offsets.get(name)!, layout.countAt(name) + 4)
  }
  const tail = strings.bytes()
  fixed.writeUInt32LE(layout.magic, 0)
  fixed.writeUInt16LE(layout.version, 4)
  fixed.writeUInt16LE(records.logOnly ? layout.logOnlyFlag : 0, 6)
  fixed.writeUInt32LE(end + tail.length, 8)
  fixed.writeUInt32LE(end, layout.stringsAt)
  fixed.writeUInt32LE(tail.length, layout.stringsAt + 4)
  return new Uint8Array(Buffer.concat([fixed, tail]))
}

type Writer<R> = (fixed: Buffer, at: number, strings: TableStrings, record: R) => void
type RecordOf<N extends layout.TableName> = BrokerRecords[N][number]

const writers: { readonly [N in layout.TableName]: Writer<RecordOf<N>> } = {
  files: (fixed, at, strings, record) => writePath(fixed, at, strings, record, inTable(record.path), false),
  unixes: (fixed, at, strings, record) => writePath(fixed, at, strings, record, record.path, record.abstract),
  nets: (fixed, at, strings, { ops, deny, protocol, family, prefix, from, to, address, name, rule }) => {
    fixed[at] = ops
    fixed[at + 1] = deny ? layout.denyFlag : 0
    fixed[at + 2] = protocol
    fixed[at + 3] = family
    fixed[at + 4] = prefix
    fixed[at + 8] = from & 0xff
    fixed[at + 9] = from >> 8
    fixed[at + 10] = to & 0xff
    fixed[at + 11] = to >> 8
    for (let byte = 0; byte < 16; byte++) fixed[at + 12 + byte] = address[byte]!
    strings.write(fixed, at + 28, name)
    fixed.writeUInt32LE(rule, at + 36)
  },
  names: (fixed, at, strings, { name, rule }) => {
    strings.write(fixed, at, name)
    fixed.writeUInt32LE(rule, at + 8)
  },
  views: (fixed, at, strings, { guest, host }) => {
    strings.write(fixed, at, inTable(guest))
    strings.write(fixed, at + 8, inTable(host))
  },
}

function writePath(
  fixed: Buffer,
  at: number,
  strings: TableStrings,
  record: FileRecord | UnixRecord,
  path: string,
  abstract: boolean,
): void {
  strings.write(fixed, at, path)
  fixed[at + 6] = record.ops
  fixed[at + 7] =
    (record.subtree ? layout.subtreeFlag : 0) |
    (record.deny ? layout.denyFlag : 0) |
    (abstract ? layout.abstractFlag : 0)
  fixed.writeUInt32LE(record.rule, at + 8)
}

/** The root folder has no bytes. */
function inTable(path: string): string {
  return path === '/' ? '' : path
}
