import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeEngine } from '@pyisolate/test-kit'
import { afterAll, describe, expect, it } from 'vitest'
import { main } from '../src/index.js'
import { FakeTerminal } from './support.js'

const folder = mkdtempSync(join(tmpdir(), 'pyisolate-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))
const latin1 = join(folder, 'latin1.py')
writeFileSync(latin1, Buffer.from([0x22, 0xe9, 0x22]))

async function say(...argv: string[]) {
  const terminal = new FakeTerminal({ stdin: 'pass' })
  const code = await main(argv, terminal, { engine: new FakeEngine() })
  return { code, out: terminal.out, err: terminal.err }
}

describe('usage', () => {
  it.each([
    [['frobnicate'], /no command "frobnicate"/],
    [['run'], /needs a FILE/],
    [['run', 'a.py', 'b'], /go after --: pyisolate run a\.py -- b/],
    [['run', '--timout', '5', '-'], /Unknown option '--timout'; see pyisolate run --help/],
    [['run', '-', '--timeout'], /--timeout/],
    [['run', '--timeout', '0', '-'], /--timeout: expected a time/],
    [['run', '--timeout', '5 weeks', '-'], /--timeout: expected a time/],
    [['run', '--memory', 'lots', '-'], /--memory: expected a size/],
    [['run', '--memory', '1', '-'], /^pyisolate: --memory: expected a size from/],
    [['run', '--threads', '0', '-'], /^pyisolate: --threads: expected an integer/],
    [['run', '--policy', 'x', '-'], /^pyisolate: --policy: x:1:1: there is no template/],
    [['run', '--isolation', 'vm', '-'], /^pyisolate: --isolation: expected/],
    [['run', '--isolation', 'process', '--cell', 'c', '-'], /^pyisolate: --cell:/],
    [['run', '--preload', '1x', '-'], /^pyisolate: --preload:/],
    [['run', './no/such/file.py'], /can't read the program: ENOENT/],
    [['run', latin1], /is not UTF-8/],
    [['doctor', 'now'], /doctor takes no argument "now"/],
    [['doctor', '--all'], /Unknown option '--all'; see pyisolate doctor --help/],
  ])('%j exits with 2', async (argv, message) => {
    const { code, out, err } = await say(...argv)
    expect(err).toMatch(message)
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(out).toBe('')
    expect(code).toBe(2)
  })

  it('prints help on demand, and on stderr when there is no command', async () => {
    expect(await say('--help')).toMatchObject({ code: 0, out: expect.stringContaining('usage: pyisolate <command>') })
    expect(await say('help', 'run')).toMatchObject({ code: 0, out: expect.stringContaining('exit code') })
    expect(await say('run', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--timeout TIME') })
    expect(await say('doctor', '-h')).toMatchObject({
      code: 0,
      out: expect.stringContaining('usage: pyisolate doctor'),
    })
    expect(await say()).toMatchObject({ code: 2, out: '', err: expect.stringContaining('usage') })
  })

  it('prints its version', async () => {
    expect((await say('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
