import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { FakeScript } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import { fakeSandbox, rejection } from '../support.js'

const script: FakeScript = async ({ code }, guest) => {
  if (code === 'flood') for (;;) await guest.print('x'.repeat(10_000))
  if (code === 'split') for (const byte of Buffer.from('aü水𐀀')) await guest.print(Uint8Array.of(byte))
  else if (code === 'invalid') await guest.print(Uint8Array.of(97, 0xff, 98))
  else await guest.print(code, code.startsWith('e') ? 'err' : 'out')
  return undefined
}

describe('stdout and stderr', () => {
  it('have everything from the start, apart from each other', async () => {
    const sandbox = await fakeSandbox(script)
    await sandbox.exec('one\n')
    await sandbox.exec('e1\n')
    const out = text(sandbox.stdout)
    await sandbox.exec('two\n')
    expect(sandbox.stats().outputBytes).toBe(11)
    await sandbox.close()
    expect(await out).toBe('one\ntwo\n')
    expect(await text(sandbox.stderr)).toBe('e1\n')
  })

  it('never cut a character', async () => {
    const sandbox = await fakeSandbox(script)
    const chunks: string[] = []
    const end = once(
      sandbox.stdout.on('data', (chunk) => chunks.push(chunk)),
      'end',
    )
    await sandbox.exec('split')
    await sandbox.close()
    await end
    expect(chunks).toEqual(['a', 'ü', '水', '𐀀'])
  })

  it('show what is not UTF-8 as such', async () => {
    const sandbox = await fakeSandbox(script)
    await sandbox.exec('invalid')
    await sandbox.close()
    expect(await text(sandbox.stdout)).toBe('a\ufffdb')
  })

  it('are limited together', async () => {
    const sandbox = await fakeSandbox(script, { limits: { output: 25_000 } })
    await sandbox.exec('e')
    expect(await rejection(sandbox.exec('flood'))).toMatchObject({ outcome: { kind: 'output', bytes: 25_000 } })
    expect((await text(sandbox.stdout)).length + (await text(sandbox.stderr)).length).toBe(25_000)
  })

  it('can be left and destroyed', async () => {
    const sandbox = await fakeSandbox(script)
    sandbox.stdout.destroy()
    await sandbox.exec('one')
    expect(await sandbox.close()).toMatchObject({ kind: 'closed' })
  })
})
