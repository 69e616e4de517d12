import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { runScript } from './support/run-script.js'

const require = createRequire(new URL('nodes/package.json', import.meta.url))
const own = Number(process.versions.node.split('.')[0])

/** Other versions come as packages, for the architecture that most machines have. */
const others = [22, 24].filter((major) => major !== own)
const nodeOf = (major: number): string =>
  major === own ? process.execPath : join(dirname(require.resolve(`node-${major}/package.json`)), 'bin', 'node')

/** Through every part of the addon: sealing, beside the OpenSSL of that Node; a zygote, cells, frames both ways, a deadline, a kill, the end, a worker. */
const smoke = `
const { Worker, isMainThread } = await import('node:worker_threads')
const [secret, nonce, text] = [new Uint8Array(32).fill(7), new Uint8Array(12), new Uint8Array(1000).fill(65)]
const sealed = new Uint8Array(1016)
aead().createKey(secret).seal(nonce, new Uint8Array(0), text, sealed)
const cipher = createCipheriv('chacha20-poly1305', secret, nonce, { authTagLength: 16 })
const same = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]).equals(sealed)
const e = engine()
const frames = []
const ended = []
const cell = await e.spawn(request({ onFrame: (frame) => frames.push(frame), onExit: (exit) => ended.push(exit.killedBy) }))
const shared = await e.spawn(request({ name: 'b', isolation: 'interpreter', cell: 'c', onExit: (exit) => ended.push(exit.killedBy) }))
for (let id = 2; id < 34; id++) cell.send(3, id, Buffer.alloc(id * 1000, 65))
cell.setDeadline(0, Infinity, 10_000, 'late')
for (let i = 0; i < 500 && frames.length < 32; i++) await sleep(10)
const usage = cell.usage().cpuMs >= 0
cell.kill('enough')
await shared.end(1000)
for (let i = 0; i < 500 && ended.length < 2; i++) await sleep(10)
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { stdout: true })
  const code = await new Promise((done) => worker.once('exit', done))
  console.log(JSON.stringify({ node: Number(process.versions.node.split('.')[0]), frames: frames.length, same, usage, ended: ended.sort(), code }))
}
await e.close()
`

describe('the addon as it was built, without another build', () => {
  test.each([own, ...others])('works in Node %i', async (major) => {
    if (major !== own && process.arch !== 'x64') return expect(others).toContain(major)
    const { code, stdout, stderr } = await runScript(smoke, { node: nodeOf(major) })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      node: major,
      frames: 32,
      same: true,
      usage: true,
      ended: ['enough', null],
      code: 0,
    })
  })
})
