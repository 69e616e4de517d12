import ipaddr from 'ipaddr.js'
import type { Operation } from '../../src/index.js'

/**
 * Decides by a broker table's bytes alone, as the broker's C++ does: numbers written out, and nothing of the compiler's
 * code, so that a mistake in one of them shows.
 */
export function decideByTable(table: Uint8Array, operation: Operation): { allowed: boolean; rule: number } {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength)
  const u16 = (at: number) => view.getUint16(at, true)
  const u32 = (at: number) => view.getUint32(at, true)
  if (u32(0) !== 0x54425950 || u16(4) !== 1 || u32(8) !== table.length) throw new Error('this is no broker table')
  const bytesAt = (at: number) => Buffer.from(table.buffer, table.byteOffset + u32(at), u16(at + 4))
  const records = (index: number, size: number) =>
    Array.from({ length: u32(12 + index * 8) }, (_, at) => u32(16 + index * 8) + at * size)
  const best = { deny: 0xffffffff, allow: 0xffffffff }
  const fit = (flags: number, rule: number) => {
    const kind = (flags & 2) !== 0 ? 'deny' : 'allow'
    best[kind] = Math.min(best[kind], rule)
  }
  const answer = () =>
    best.deny !== 0xffffffff
      ? { allowed: false, rule: best.deny }
      : { allowed: best.allow !== 0xffffffff, rule: best.allow }
  const fitsPath = (pattern: Buffer, subtree: boolean, path: string) => {
    const bytes = Buffer.from(path === '/' ? '' : path)
    if (bytes.equals(pattern)) return true
    return subtree && bytes.subarray(0, pattern.length).equals(pattern) && bytes[pattern.length] === 0x2f
  }

  if ('path' in operation && /^\/proc(\/|$)/.test(operation.path)) return answer()
  if (operation.kind === 'read' || operation.kind === 'write' || operation.kind === 'exec') {
    const bit = { read: 1, write: 2, exec: 4 }[operation.kind]
    const files = records(0, 16)
    // By the order of the records: the path itself, then each of its ancestors, each by binary search.
    for (let path = operation.path === '/' ? '' : operation.path, own = true; ; own = false) {
      const wanted = Buffer.from(path)
      let low = 0
      for (let high = files.length; low < high; ) {
        const middle = (low + high) >> 1
        if (Buffer.compare(bytesAt(files[middle]!), wanted) < 0) low = middle + 1
        else high = middle
      }
      for (; low < files.length && bytesAt(files[low]!).equals(wanted); low++) {
        const at = files[low]!
        const flags = table[at + 7]!
        if ((table[at + 6]! & bit) !== 0 && (own || (flags & 1) !== 0)) fit(flags, u32(at + 8))
      }
      if (path === '') return answer()
      path = path.slice(0, path.lastIndexOf('/'))
    }
  }
  if (operation.kind === 'connect' || operation.kind === 'bind' || operation.kind === 'sendto') {
    const bit = { connect: 1, bind: 2, sendto: 4 }[operation.kind]
    if (!('port' in operation)) {
      for (const at of records(2, 16)) {
        const flags = table[at + 7]!
        if ((table[at + 6]! & bit) === 0) continue
        const abstract = (flags & 4) !== 0
        const fits =
          'abstract' in operation
            ? abstract && bytesAt(at).equals(Buffer.from(operation.abstract))
            : !abstract && fitsPath(bytesAt(at), (flags & 1) !== 0, operation.path)
        if (fits) fit(flags, u32(at + 8))
      }
      return answer()
    }
    const peer = ipaddr.process(operation.address)
    for (const at of records(1, 40)) {
      const [ops, flags, protocol, family, prefix] = table.subarray(at, at + 5) as unknown as number[]
      if ((ops! & bit) === 0 || protocol !== (operation.protocol === 'tcp' ? 6 : 17)) continue
      const from = u16(at + 8)
      const to = u16(at + 10)
      const whole = from === 1 && to === 65535
      const portFits =
        operation.port === 0 ? (flags! & 2) !== 0 || whole : from <= operation.port && operation.port <= to
      if (!portFits) continue
      const fits =
        family === 0
          ? operation.name !== undefined && fitsName(bytesAt(at + 28).toString(), operation.name)
          : family === (peer.kind() === 'ipv4' ? 4 : 6) && samePrefix(peer.toByteArray(), table, at + 12, prefix!)
      if (fits) fit(flags!, u32(at + 36))
    }
    return answer()
  }
  if (operation.kind === 'resolve') {
    for (const at of records(3, 12)) if (fitsName(bytesAt(at).toString(), operation.name)) fit(0, u32(at + 8))
    return answer()
  }
  throw new Error(`the broker doesn't decide ${operation.kind}`)
}

function fitsName(pattern: string, written: string): boolean {
  const name = written.toLowerCase().replace(/\.$/, '')
  if (pattern === '*' || pattern === name) return true
  const below = pattern.startsWith('*.') ? pattern.slice(1) : undefined
  return below !== undefined && name.length > below.length && name.endsWith(below)
}

function samePrefix(address: readonly number[], table: Uint8Array, at: number, bits: number): boolean {
  for (let bit = 0; bit < bits; bit++) {
    const mask = 0x80 >> (bit & 7)
    if ((address[bit >> 3]! & mask) !== (table[at + (bit >> 3)]! & mask)) return false
  }
  return true
}
