import { PolicyTargetError } from '../errors/policy-target-error.js'
import * as layout from './broker-layout.js'
import type { BrokerRecords, View } from './broker-table.js'
import type { NameRecord, NetRecord, UnixRecord } from './rule-records.js'

/** A table's records, to be shown. Whatever the bytes, nothing beyond them is read. @throws PolicyTargetError */
export function readBrokerTable(bytes: Uint8Array): BrokerRecords {
  const table = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (table.length < layout.headerBytes) throw damaged(`${table.length} bytes`, `at least ${layout.headerBytes}`)
  if (table.readUInt32LE(0) !== layout.magic) throw damaged('another magic number', 'PYBT')
  if (table.readUInt16LE(4) !== layout.version)
    throw damaged(`version ${table.readUInt16LE(4)}`, `version ${layout.version}`)
  if (table.readUInt32LE(8) !== table.length) throw damaged('another length than its header says', 'the same one')
  const text = stringsOf(table)
  return {
    logOnly: (table.readUInt16LE(6) & layout.logOnlyFlag) !== 0,
    files: records(table, 'files').map((at) => {
      const { abstract: _, ...record } = pathRecord(table, at, text)
      return { ...record, path: ofTable(record.path) }
    }),
    nets: records(table, 'nets').map((at) => netRecord(table, at, text)),
    unixes: records(table, 'unixes').map((at) => pathRecord(table, at, text)),
    names: records(table, 'names').map((at): NameRecord => ({ name: text(at), rule: table.readUInt32LE(at + 8) })),
    views: records(table, 'views').map((at): View => ({ guest: ofTable(text(at)), host: ofTable(text(at + 8)) })),
  }
}

/** Where each record of a table starts; the whole of it is inside. */
function records(table: Buffer, name: layout.TableName): readonly number[] {
  const count = table.readUInt32LE(layout.countAt(name))
  const offset = table.readUInt32LE(layout.countAt(name) + 4)
  const size = layout.recordBytes[name]
  if (offset < layout.headerBytes || offset + count * size > table.length)
    throw damaged(`${count} ${name} at ${offset}`, `all inside its ${table.length} bytes`)
  return Array.from({ length: count }, (_, index) => offset + index * size)
}

type Strings = (at: number) => string

function stringsOf(table: Buffer): Strings {
  const start = table.readUInt32LE(layout.stringsAt)
  const end = start + table.readUInt32LE(layout.stringsAt + 4)
  if (end > table.length) throw damaged(`strings up to ${end}`, `up to ${table.length} bytes`)
  return (at) => {
    const from = table.readUInt32LE(at)
    const to = from + table.readUInt16LE(at + 4)
    if (from < start || to > end) throw damaged(`a string from ${from} to ${to}`, `from ${start} to ${end}`)
    return table.toString('utf8', from, to)
  }
}

function pathRecord(table: Buffer, at: number, text: Strings): UnixRecord {
  const flags = table[at + 7]!
  return {
    path: text(at),
    subtree: (flags & layout.subtreeFlag) !== 0,
    abstract: (flags & layout.abstractFlag) !== 0,
    ops: table[at + 6]!,
    deny: (flags & layout.denyFlag) !== 0,
    rule: table.readUInt32LE(at + 8),
  }
}

function netRecord(table: Buffer, at: number, text: Strings): NetRecord {
  const [protocol, family] = [table[at + 2]!, table[at + 3]!]
  if (protocol !== 6 && protocol !== 17) throw damaged(`protocol ${protocol}`, '6 or 17')
  if (family !== 0 && family !== 4 && family !== 6) throw damaged(`family ${family}`, '0, 4 or 6')
  return {
    ops: table[at]!,
    deny: (table[at + 1]! & layout.denyFlag) !== 0,
    protocol,
    family,
    prefix: table[at + 4]!,
    from: table.readUInt16LE(at + 8),
    to: table.readUInt16LE(at + 10),
    address: [...table.subarray(at + 12, at + 28)],
    name: text(at + 28),
    rule: table.readUInt32LE(at + 36),
  }
}

function ofTable(path: string): string {
  return path === '' ? '/' : path
}

function damaged(what: string, expected: string): PolicyTargetError {
  return new PolicyTargetError(`the broker table has ${what}`, expected)
}
