import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runSource, skipUnless } from '@pyisolate/test-kit'
import { expect, it } from 'vitest'

const cwd = fileURLToPath(new URL('../..', import.meta.url))
const native = dirname(createRequire(import.meta.url).resolve('@pyisolate/native/package.json'))
const nodes = createRequire(join(native, 'test', 'nodes', 'package.json'))

const hello = `
import { createSupervisor } from '@pyisolate/core'
const supervisor = createSupervisor()
for (const options of [{}, { cell: 'shared' }]) {
  const sandbox = await supervisor.spawn('demo', { ...options, functions: { twice: (n) => 2 * n } })
  await sandbox.exec('from math import sqrt\\npost(host.twice(sqrt(2)))')
  console.log(await sandbox.recv())
  await sandbox.close()
}
await supervisor.close()
console.log(process.versions.node)
`

it.for([22, 24])('a supervisor runs in Node %i, with the addon as it was built', async (major, context) => {
  skipUnless(context, 'other-nodes', 'other versions of Node come as packages for x64', process.arch === 'x64')
  const node = join(dirname(nodes.resolve(`node-${major}/package.json`)), 'bin', 'node')
  const { code, stdout, stderr } = await runSource(hello, { node, cwd })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(new RegExp(`^2\\.828427124746190\\d\\n2\\.828427124746190\\d\\n${major}\\.`))
})
