import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyPolicy } from '@pyisolate/policy'
import { describe, expect, it, onTestFinished } from 'vitest'
import { main } from '../../src/index.js'
import { FakeTerminal } from '../support.js'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')

function files() {
  const root = mkdtempSync(join(tmpdir(), 'pyisolate-sign-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const file = join(root, 'p.yaml')
  const key = join(root, 'key.pem')
  writeFileSync(file, 'version: 1\nname: signed\nextends: compute\n')
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return { root, file, key }
}

async function sign(...argv: string[]) {
  const terminal = new FakeTerminal()
  const code = await main(['policy', 'sign', ...argv], terminal)
  return { code, out: terminal.out, err: terminal.err }
}

describe('policy sign', () => {
  it('writes beside a policy what its subscribers verify', async () => {
    const { root, file, key } = files()
    const { code, out, err } = await sign(file, '--key', key, '--revision', '7')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/p\.yaml\.sig: revision 7 of signed, [0-9a-f]{16}\n$/)
    const line = readFileSync(`${file}.sig`, 'utf8')
    expect(verifyPolicy(readFileSync(file), line, publicKey)).toMatchObject({ revision: 7 })
    expect(readdirSync(root).sort()).toEqual(['key.pem', 'p.yaml', 'p.yaml.sig'])
  })

  it('doesn’t go back, nor give a number to two documents', async () => {
    const { file, key } = files()
    const revision = async (number: string) => (await sign(file, '--key', key, '--revision', number)).code
    expect(await revision('7')).toBe(0)
    expect(await revision('7')).toBe(0)
    expect(await revision('6')).toBe(2)
    writeFileSync(file, 'version: 1\nname: another\n')
    expect(await revision('7')).toBe(2)
    expect(await revision('8')).toBe(0)
    expect(readFileSync(`${file}.sig`, 'utf8')).toMatch(/^v1 8 /)
  })

  it('signs nothing that its subscribers would refuse', async () => {
    const { file, key } = files()
    for (const text of ['version: 2\n', 'version: 1\nextends: ./base.yaml\n', '']) {
      writeFileSync(file, text)
      const { code, err } = await sign(file, '--key', key, '--revision', '1')
      expect(code).toBe(1)
      expect(err).toMatch(/p\.yaml:\d+:\d+: /)
    }
    writeFileSync(file, Buffer.from([0x76, 0xff]))
    expect((await sign(file, '--key', key, '--revision', '1')).code).toBe(2)
    expect(() => readFileSync(`${file}.sig`)).toThrow('ENOENT')
  })

  it('wants a key that is an Ed25519 one, and nobody else’s', async () => {
    const { root, file, key } = files()
    chmodSync(key, 0o644)
    expect(await sign(file, '--key', key, '--revision', '1')).toMatchObject({
      code: 2,
      err: expect.stringContaining('chmod'),
    })
    const other = join(root, 'other.pem')
    const pems = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'pem' }),
      'no key',
    ]
    for (const pem of pems) {
      writeFileSync(other, pem, { mode: 0o600 })
      const { code, err } = await sign(file, '--key', other, '--revision', '1')
      expect(code).toBe(2)
      expect(err).toContain('expected an Ed25519 private key')
      expect(err).not.toContain('BEGIN')
    }
  })

  it('writes over nothing that is no signature', async () => {
    const { file, key } = files()
    expect((await sign(file, '--key', key, '--revision', '1', '--out', key)).code).toBe(2)
    expect(readFileSync(key, 'utf8')).toContain('PRIVATE KEY')
    expect((await sign(file, '--key', key, '--revision', '1', '--out', '/nowhere/x.sig')).code).toBe(2)
  })

  it.each([['0'], ['-1'], ['1.5'], ['07'], ['9007199254740992'], ['one'], ['']])(
    'takes no revision %j',
    async (revision) => {
      const { file, key } = files()
      expect((await sign(file, '--key', key, `--revision=${revision}`)).code).toBe(2)
    },
  )
})
