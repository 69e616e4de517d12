// An image of a process that has keys, taken and written back by whoever may trace it.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { areas, dumped, image, keyPages, skipUnless, writeBack } from '@pyisolate/test-kit'
import { afterEach, describe, expect, it } from 'vitest'

import { addonPath } from '../support/fake.js'
import { withoutHiddenMemory } from '../support/hidden-memory.js'

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url))
const pattern = Buffer.from(Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 11) & 255))

/** Seals a text under the counter that each line names, with the key made byte by byte as in wiping.test.ts. */
const program = `
import { createNativeAead } from ${JSON.stringify(pathToFileURL(dist).href)}
import { readdirSync, readlinkSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
const linkOf = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd) } catch { return '' } }
const secret = new Uint8Array(new ArrayBuffer(4096), 0, 32)
for (let at = 0; at < 32; at++) secret[at] = (at * 37 + 11) & 255
const key = createNativeAead({ addon: ${JSON.stringify(addonPath)} }).createKey(secret)
secret.fill(0)
console.log('made')
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'ahead') {
    const count = readdirSync('/proc/self/fd').find((fd) => linkOf(fd).includes('pyisolate-nonces'))
    writeSync(Number(count), 'x')
    console.log(line)
    continue
  }
  const nonce = new Uint8Array(12)
  nonce[4] = Number(line)
  const sealed = new Uint8Array(20)
  try {
    if (line.endsWith('many')) {
      nonce[4] = Number.parseInt(line)
      key.sealMany(nonce, sealed, Uint32Array.of(0, 20), 1)
    } else key.seal(nonce, new Uint8Array(0), new Uint8Array(4), sealed)
    console.log(sealed.some((byte) => byte !== 0) ? 'sealed' : 'nothing')
  } catch (error) {
    console.log(error.code ?? error.name, sealed.some((byte) => byte !== 0))
  }
}
`

const node: [string, ...string[]] = [process.execPath, '--input-type=module', '-e', program]
const children: ChildProcessWithoutNullStreams[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

async function holder(hidden: boolean) {
  const [command, ...args] = hidden ? node : withoutHiddenMemory(node)
  const child = spawn(command, args)
  child.stderr.pipe(process.stderr)
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('made')
  return {
    pid: child.pid!,
    ask: async (line: string): Promise<string> => {
      child.stdin.write(`${line}\n`)
      return (await lines.next()).value
    },
  }
}

const holds = (pid: number): boolean => areas(pid).some(({ name }) => name.startsWith('/secretmem'))

describe.each([true, false])('a key, where the kernel hides memory: %s', (wanted) => {
  it('is in no core file of its process', async (context) => {
    const { pid, ask } = await holder(wanted)
    if (wanted) skipUnless(context, 'secret-memory', 'memfd_secret(2)', holds(pid))
    expect(await ask('0')).toBe('sealed')
    expect(image(pid, dumped).filter(({ bytes }) => bytes.includes(pattern))).toEqual([])
    // It is where whoever may trace the process finds it, or not even there.
    const seen = image(pid, ({ writable }) => writable).filter(({ bytes }) => bytes.includes(pattern))
    expect(seen).toHaveLength(wanted ? 0 : 1)
  })

  it('seals under no nonce twice when all of its pages are as they were', async (context) => {
    const { pid, ask } = await holder(wanted)
    if (wanted) skipUnless(context, 'secret-memory', 'memfd_secret(2)', holds(pid))
    expect(await ask('0')).toBe('sealed')
    if (wanted) {
      const secret = areas(pid).find(({ name }) => name.startsWith('/secretmem'))!
      expect(() => writeBack(pid, [{ from: secret.from, bytes: Buffer.alloc(64) }])).toThrow('EIO')
      expect(await ask('0')).toBe('RangeError false')
      expect(await ask('1')).toBe('sealed')
      return
    }
    const before = image(pid, keyPages)
    expect(before).toHaveLength(1)
    expect(await ask('1')).toBe('sealed')
    // The counter goes back with its page.
    writeBack(pid, before)
    expect(image(pid, keyPages)).toEqual(before)
    for (const line of ['1', '2', '3 many'])
      expect(await ask(line)).toMatch(/^(ERR_PYISOLATE_KEY_RESTORED|RangeError) false$/)
    expect(await ask('2')).toBe('ERR_PYISOLATE_KEY_RESTORED false')
  })

  it('nor when all of its memory is: the kernel counts on', async (context) => {
    const { pid, ask } = await holder(wanted)
    if (wanted) skipUnless(context, 'secret-memory', 'memfd_secret(2)', holds(pid))
    expect(await ask('0')).toBe('sealed')
    // What a process that was brought back meets: the kernel's count ahead of all of its own.
    expect(await ask('ahead')).toBe('ahead')
    for (const line of ['1', '1 many', '9']) expect(await ask(line)).toBe('ERR_PYISOLATE_KEY_RESTORED false')
  })
})
