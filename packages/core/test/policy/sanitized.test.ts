// What the broker reads of guests and of policies, read by a build of it that ends at the first access out of bounds.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compileBrokerTable, compilePolicy, loadPolicy, templateNames } from '@pyisolate/policy'
import { expect, it, onTestFinished } from 'vitest'
import { FUZZ_MS, FUZZ_SEED } from '../../../policy/test/random.js'

const run = promisify(execFile)
const broker = fileURLToPath(new URL('../../../native/addon/broker', import.meta.url))
const sources = ['request', 'guest_memory', 'table', 'table_reader', 'contract_machine', 'address', 'test/fuzz']

const tables = (): Uint8Array[] => {
  const options = { variables: { STDLIB: '/lib/py', TMP: '/tmp/x' }, views: [{ guest: '/lib/py', host: '/usr/py' }] }
  const rules = `version: 1
fs: {read: [/a/**, /b], write: [/a/b/**], deny: [/a/c]}
net: {connect: ['tcp://10.0.0.0/8:1-9', 'tcp://*.example.org:443', 'unix:///a/**'], dns: ['*.example.org']}
contracts:
  - {name: one, on: open, assert: 'opens < 5 or path in "/a/**"'}
  - {name: two, on: connect, assert: 'dst.addr in "10.0.0.0/8" and dst.port * 2 < 900', action: kill}
`
  return [compilePolicy(rules), ...templateNames().map(loadPolicy)].map((one) => compileBrokerTable(one, options))
}

it('keeps to its bounds, whatever it is given', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pyisolate-sanitized-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const program = join(folder, 'fuzz')
  const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-D_GLIBCXX_ASSERTIONS']
  await run(process.env.CXX || 'c++', [
    ...['-std=c++20', '-O1', '-g', ...sanitizers, '-o', program],
    ...sources.map((name) => join(broker, `${name}.cc`)),
  ])
  const files = tables().map((table, i) => {
    const file = join(folder, `${i}.table`)
    writeFileSync(file, table)
    return file
  })
  const { stdout } = await run(program, [String(2 * FUZZ_MS), String(FUZZ_SEED), ...files]).catch((error) => {
    throw new Error(`${error.signal ?? error.code}: ${String(error.stderr).slice(-4000)}`)
  })
  expect(Number.parseInt(stdout, 10)).toBeGreaterThan(0)
})
