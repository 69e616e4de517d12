import { describe, expect, it } from 'vitest'
import { archArm, archX86, runFilter, runFilters } from '../support/cbpf.js'
import { decodeFilter, type Instruction } from '../support/cbpf-code.js'
import { verifyFilter } from '../support/cbpf-verify.js'

const op = (code: number, k = 0, jt = 0, jf = 0): Instruction => ({ code, jt, jf, k })
const load = (at: number) => op(0x20, at)
const allow = op(0x06, 0x7fff_0000)
const errno = (number: number) => op(0x06, 0x0005_0000 + number)
const returnA = op(0x16)
const call = (nr: number, ...args: bigint[]) => ({ nr, arch: archX86, args })
/** What the program leaves in the accumulator, as the data of an errno. */
const leaves = (...program: Instruction[]) =>
  runFilter([...program, op(0x54, 0xffff), op(0x44, 0x0005_0000), returnA], call(0)).data

describe('the simulator runs', () => {
  // The shape that libseccomp gives a list: architecture, then number, then an argument's two halves.
  const program = [
    load(4),
    op(0x15, archX86, 1, 0),
    op(0x06, 0x8000_0000),
    load(0),
    op(0x15, 39, 6, 0), // getpid
    op(0x15, 157, 0, 4), // prctl, of 15
    load(20),
    op(0x15, 0, 0, 2),
    load(16),
    op(0x15, 15, 1, 0),
    errno(1),
    allow,
  ]

  it.each<[string, Parameters<typeof runFilter>[1], string, number, number]>([
    ['a call that is listed', call(39), 'allow', 0, 5],
    ['a call that is not', call(40), 'errno', 1, 6],
    ['an argument that fits', call(157, 15n), 'allow', 0, 10],
    ['one that does not', call(157, 16n), 'errno', 1, 10],
    ['one that only fits in its lower half', call(157, 15n + 2n ** 32n), 'errno', 1, 8],
    ['another architecture', { nr: 39, arch: archArm }, 'killProcess', 0, 3],
    ['x32', call(39 + 0x4000_0000), 'errno', 1, 6],
  ])('%s', (_title, of, action, data, steps) => {
    expect(runFilter(program, of)).toEqual({ action, data, steps })
  })

  it('every operation', () => {
    const immediate = (k: number) => op(0x00, k)
    expect(leaves(immediate(7), op(0x04, 5))).toBe(12)
    expect(leaves(immediate(0xffff_ffff), op(0x04, 5))).toBe(4)
    expect(leaves(immediate(1), op(0x14, 2), op(0x74, 16))).toBe(0xffff) // -1, unsigned
    expect(leaves(immediate(0x1_0001), op(0x24, 0x1_0003))).toBe(3)
    expect(leaves(immediate(0xffff_ffff), op(0x34, 2), op(0x74, 16))).toBe(0x7fff)
    expect(leaves(immediate(6), op(0x44, 9))).toBe(15)
    expect(leaves(immediate(6), op(0x54, 12))).toBe(4)
    expect(leaves(immediate(6), op(0xa4, 12))).toBe(10)
    expect(leaves(immediate(3), op(0x64, 4))).toBe(48)
    expect(leaves(immediate(0x8000_0000), op(0x74, 20))).toBe(0x800)
    expect(leaves(immediate(2), op(0x84), op(0x74, 20))).toBe(0xfff)
    expect(leaves(op(0x80))).toBe(64)
    expect(leaves(op(0x81), op(0x87))).toBe(64)
    expect(leaves(op(0x01, 9), op(0x03, 15), op(0x60, 15))).toBe(9)
    expect(leaves(immediate(8), op(0x02, 3), immediate(0), op(0x61, 3), op(0x0c))).toBe(8)
    expect(leaves(immediate(8), op(0x07), immediate(2), op(0x2c))).toBe(16)
    expect(leaves(immediate(1), op(0x01, 33), op(0x6c))).toBe(2) // a shift by 33 is one by 1
    expect(leaves(immediate(5), op(0x05, 1), immediate(6), op(0x04, 1))).toBe(6)
  })

  it.each<[string, number, number, boolean]>([
    ['==', 0x15, 5, true],
    ['>', 0x25, 5, false],
    ['> of large ones', 0x25, 0x7fff_ffff, false],
    ['>=', 0x35, 5, true],
    ['a bit', 0x45, 4, true],
    ['another bit', 0x45, 2, false],
  ])('a test: %s', (_title, code, k, holds) => {
    expect(leaves(op(0x00, 5), op(code, k, 0, 1), op(0x05, 1), op(0x00, 77))).toBe(holds ? 5 : 77)
    expect(leaves(op(0x01, k), op(0x00, 5), op(code | 8, 0, 0, 1), op(0x05, 1), op(0x00, 77))).toBe(holds ? 5 : 77)
  })

  it('a division by nothing, which ends it', () => {
    expect(runFilter([op(0x00, 5), op(0x3c), allow], call(0))).toEqual({ action: 'killThread', data: 0, steps: 2 })
  })

  it('every action, and takes the strictest of several filters', () => {
    const words: readonly [number, string][] = [
      [0x8000_0000, 'killProcess'],
      [0, 'killThread'],
      [0x0003_0000, 'trap'],
      [0x0005_0000, 'errno'],
      [0x7fc0_0000, 'notify'],
      [0x7ff0_0000, 'trace'],
      [0x7ffc_0000, 'log'],
      [0x7fff_0000, 'allow'],
    ]
    const programs = words.map(([k]) => [op(0x06, k)])
    for (const [at, [, action]] of words.entries()) {
      expect(runFilter(programs[at]!, call(0)).action).toBe(action)
      expect(runFilters(programs.slice(at).toReversed(), call(0)).action).toBe(action)
    }
    expect(runFilter([op(0x06, 0x1234_0000)], call(0)).action).toBe('killProcess')
  })

  it('what was exported', () => {
    const words = ['2000000004000000', '150000013e0000c0', '0600000000000080', '060000000000ff7f']
    const bytes = Buffer.from(words.join(''), 'hex')
    expect(decodeFilter(bytes)).toEqual([load(4), op(0x15, archX86, 0, 1), op(0x06, 0x8000_0000), allow])
    expect(() => decodeFilter(bytes.subarray(1))).toThrow(/no whole instructions/)
  })
})

describe('the simulator refuses, as the kernel does', () => {
  it.each<[string, Instruction[], RegExp]>([
    ['nothing', [], /0 instructions/],
    ['too much', new Array(4097).fill(allow), /4097 instructions/],
    ['a load in the middle of a word', [load(2), allow], /no word of the call at 2/],
    ['a load behind the call', [load(64), allow], /no word of the call at 64/],
    ['a load of a byte', [op(0x30), allow], /0x30 is not for seccomp/],
    ['a load with an index', [op(0x40), allow], /0x40 is not for seccomp/],
    ['a remainder', [op(0x94, 2), allow], /0x94 is not for seccomp/],
    ['a cell that is not there', [op(0x02, 16), allow], /no cell 16/],
    ['a division by 0', [op(0x34), allow], /a division by 0/],
    ['a shift too far', [op(0x64, 32), allow], /a shift by 32/],
    ['a jump to nowhere', [op(0x05, 1), allow], /a jump beyond the end/],
    ['a test that leads nowhere', [op(0x15, 0, 0, 1), allow], /a jump beyond the end/],
    ['a cell that was never filled', [op(0x60, 3), allow], /cell 3 may be empty/],
    [
      'one that is filled on one way only',
      [load(0), op(0x15, 1, 1, 0), op(0x02, 3), op(0x61, 3), allow],
      /cell 3 may be/,
    ],
    ['no end', [load(0)], /the last is no return/],
  ])('%s', (_title, program, message) => {
    expect(() => verifyFilter(program)).toThrow(message)
    expect(() => runFilter(program, call(0))).toThrow(message)
  })
})
