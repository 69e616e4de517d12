import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, it } from 'vitest'

import { addonPath } from '../support/fake.js'
import { withoutHiddenMemory } from '../support/hidden-memory.js'

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url))

/** The key in the process that is looked into: made byte by byte, in memory that no collector moves. */
const program = `
import { createNativeAead } from ${JSON.stringify(pathToFileURL(dist).href)}
import { createInterface } from 'node:readline'
const secret = new Uint8Array(new ArrayBuffer(4096), 0, 32)
for (let at = 0; at < 32; at++) secret[at] = (at * 37 + 11) & 255
const key = createNativeAead({ addon: ${JSON.stringify(addonPath)} }).createKey(secret)
secret.fill(0)
const text = new Uint8Array(1024)
key.seal(new Uint8Array(12), new Uint8Array(0), text.subarray(16), new Uint8Array(1024))
console.log('made')
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'wipe') key.wipe()
  console.log(line)
}
`
const pattern = Buffer.from(Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 11) & 255))

const [command, ...args] = withoutHiddenMemory([process.execPath, '--input-type=module', '-e', program])
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
afterAll(() => child.kill())

/** How often the key is in the memory that the process can write to. */
function copies(pid: number): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  let found = 0
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^(\w+)-(\w+) rw-p/.exec(line) ?? []
      if (from === undefined || to === undefined) continue
      const start = Number.parseInt(from, 16)
      const bytes = Buffer.alloc(Number.parseInt(to, 16) - start)
      // Pages that can't be read (guards, devices) hold nothing of ours.
      const length = readable(memory, bytes, start)
      for (let at = bytes.indexOf(pattern); at >= 0 && at < length; at = bytes.indexOf(pattern, at + 1)) found++
    }
  } finally {
    closeSync(memory)
  }
  return found
}

function readable(memory: number, into: Buffer, from: number): number {
  try {
    return readSync(memory, into, 0, into.length, from)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0
    throw error
  }
}

it("a key is in the process's memory until it is wiped, and nowhere afterwards", async () => {
  expect((await lines.next()).value).toBe('made')
  expect(copies(child.pid!)).toBeGreaterThan(0)
  child.stdin.write('wipe\n')
  expect((await lines.next()).value).toBe('wipe')
  expect(copies(child.pid!)).toBe(0)
})
