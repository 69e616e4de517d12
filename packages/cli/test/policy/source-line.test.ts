import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { sourceLine } from '../../src/policy/source-line.js'

const folder = mkdtempSync(join(tmpdir(), 'pyisolate-line-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'p.yaml')
const at = (text: string, line: number, column: number) => {
  writeFileSync(file, text)
  return sourceLine({ file, line, column })
}

describe('the line of an error', () => {
  it('has a caret under its column', () => {
    expect(at('version: 1\r\nfs: {raed: []}\r\n', 2, 6)).toBe('  2 | fs: {raed: []}\n    |      ^\n')
  })

  it('keeps the caret in its place behind tabs, and under large numbers', () => {
    expect(at(`${'\n'.repeat(11)}\ta\tb`, 12, 4)).toBe('  12 | \ta\tb\n     | \t \t^\n')
  })

  it('is cut when it is long', () => {
    const line = `${'a'.repeat(5000)}X${'b'.repeat(5000)}`
    expect(at(line, 1, 5001)).toBe(`  1 | ${'a'.repeat(50)}X${'b'.repeat(49)}\n    | ${' '.repeat(50)}^\n`)
  })

  it('steers no terminal', () => {
    expect(at('a\u001b[31m\u202eb', 1, 8)).toBe('  1 | a?[31m?b\n    |        ^\n')
  })

  it('is none where there is none', () => {
    expect(at('a', 2, 1)).toBe('')
    expect(at('a', 1, 9)).toBe('')
    expect(sourceLine({ file: join(folder, 'gone'), line: 1, column: 1 })).toBe('')
    expect(sourceLine({ file: 'package.json', line: 1, column: 1 })).toBe('')
  })
})
