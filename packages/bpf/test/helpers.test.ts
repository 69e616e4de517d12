import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildFolder, objects } from './objects.js'

/**
 * The helpers that programs may call, by their numbers in the kernel's interface (linux/bpf.h). None writes to memory
 * that isn't the program's own, and none changes a packet.
 */
const allowed: Readonly<Record<number, string>> = {
  1: 'map_lookup_elem',
  5: 'ktime_get_ns',
  95: 'sk_fullsock',
  107: 'sk_storage_get',
  12: 'tail_call',
  81: 'get_local_storage',
  113: 'probe_read_kernel',
  131: 'ringbuf_reserve',
  132: 'ringbuf_submit',
  156: 'task_storage_get',
  158: 'get_current_task_btf',
  175: 'task_pt_regs',
  181: 'loop',
  187: 'set_retval',
}

function disassembler(): string {
  for (const name of ['llvm-objdump-19', 'llvm-objdump-18', 'llvm-objdump-17'])
    for (const folder of (process.env.PATH ?? '').split(':'))
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // The next folder may have it.
      }
  throw new Error('no llvm-objdump for BPF: npm test installs llvm')
}

/** Address, the instruction's eight bytes, its text. */
const instruction = /^\s*[0-9a-f]+:\t((?:[0-9a-f]{2} ){7}[0-9a-f]{2})\t/
const call = 0x85
/** What the source register of a call says (RFC 9669, 5.3.1): a helper, or a function of the object itself. */
const ofHelper = 0
const ofFunction = 1

function calls(object: string): { helpers: number[]; others: number[] } {
  const text = execFileSync(disassembler(), ['-d', join(buildFolder, object)], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  const lines = text.split('\n').flatMap((line) => instruction.exec(line)?.[1] ?? [])
  const code = lines.map((line) => Buffer.from(line.replaceAll(' ', ''), 'hex'))
  expect(code.length).toBeGreaterThan(100)
  const made = code.filter((bytes) => bytes[0] === call)
  const kindOf = (bytes: Buffer) => bytes[1]! >> 4
  return {
    helpers: made.filter((bytes) => kindOf(bytes) === ofHelper).map((bytes) => bytes.readInt32LE(4)),
    others: made.map(kindOf).filter((kind) => kind !== ofHelper && kind !== ofFunction),
  }
}

describe('compiled programs', () => {
  test.each(objects)('%s calls helpers of the list and nothing else', (object) => {
    const { helpers, others } = calls(object)
    expect(others).toEqual([])
    expect(helpers.length).toBeGreaterThan(6)
    expect([...new Set(helpers)].filter((number) => allowed[number] === undefined)).toEqual([])
  })

  test('no helper is on the list that no program calls', () => {
    const used = new Set(objects.flatMap((object) => calls(object).helpers))
    expect(
      Object.keys(allowed)
        .map(Number)
        .filter((number) => !used.has(number)),
    ).toEqual([])
  })

  test.each(objects)('%s names no path of the machine that built it', (object) => {
    expect(readFileSync(join(buildFolder, object)).includes(process.cwd())).toBe(false)
  })
})
