import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { until } from '@pyisolate/test-kit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor, type SupervisorOptions, TokenError } from '../../src/index.js'
import { folder, policy, ruled } from './support.js'

function supervisor(options: SupervisorOptions = {}) {
  const made = createSupervisor({ pool: { size: 0 }, ...options })
  onTestFinished(() => made.close())
  return made
}

/** `name` allows to read one folder of `at`. */
function document(at: string, name: string, ...folders: string[]): string {
  return `version: 1\nname: ${name}\nextends: stdlib.readonly\nfs:\n  read: [${folders.map((one) => `'${at}/${one}/**'`).join(', ')}]\n`
}

function files(): string {
  const at = folder()
  for (const name of ['a', 'b']) {
    mkdirSync(join(at, name))
    writeFileSync(join(at, name, 'x'), name)
  }
  return at
}

describe('supervisor.reload', () => {
  it('replaces the policy of all, or of some, and says what became of each', async () => {
    const at = files()
    const all = supervisor()
    const first = policy(`fs:\n  read: ['${at}/a/**']`)
    const [one, two] = [await ruled(all, { policy: first }), await ruled(all, { policy: first })]
    await all.spawn('built-in')
    const three = await ruled(all, { policy: policy('limits:\n  memory: 100MiB') })
    const result = await all.reload(policy(`fs:\n  read: ['${at}/b/**']`))
    expect(result.reloaded.map(({ sandbox }) => sandbox)).toEqual([one.sandbox.name, two.sandbox.name])
    expect(result.refused).toEqual([
      { sandbox: three.sandbox.name, code: 'ERR_PYISOLATE_RELOAD', message: expect.stringContaining('limits.memory') },
    ])
    expect(await one.attempt(`read('${at}/b/x')`)).toBe("'b'")
    await all.reload(first, { sandboxes: [two.sandbox.name] })
    expect(await two.attempt(`read('${at}/a/x')`)).toBe("'a'")
    expect(await one.attempt(`read('${at}/a/x')`)).toBe('PermissionError EACCES')
    await expect(all.reload(first, { sandboxes: ['built-in'] })).rejects.toThrow(/no running sandbox "built-in"/)
  })

  it('by token: in its scope, while it lives, as often as it may, each use told', async () => {
    const all = supervisor()
    const uses: string[] = []
    all.on('token', ({ outcome, label }) => uses.push(`${outcome} ${label}`))
    const { sandbox } = await ruled(all, { policy: policy('fs: {}') })
    const next = policy('net:\n  dns: [localhost]')
    const { token } = all.mintToken({ sandboxes: ['ruled-*'], expiresIn: 60_000, singleUse: true, label: 'ci' })
    const wrong = all.reload(next, { token: `${token.slice(0, -2)}xx`, sandboxes: [sandbox.name] })
    await expect(wrong).rejects.toBeInstanceOf(TokenError)
    await expect(all.reload(next, { token })).rejects.toMatchObject({ problem: 'out-of-scope' })
    expect((await all.reload(next, { token, sandboxes: [sandbox.name] })).reloaded).toHaveLength(1)
    await expect(all.reload(next, { token, sandboxes: [sandbox.name] })).rejects.toMatchObject({ problem: 'used' })
    await until(() => uses.length === 4)
    expect(uses).toEqual(['unknown undefined', 'out-of-scope ci', 'accepted ci', 'used ci'])
  })
})

describe('policies that are watched', () => {
  it('a sandbox follows the policy it was spawned with by name; a spoiled file leaves the last good one', async () => {
    const at = files()
    const policies = join(at, 'policies')
    mkdirSync(policies)
    const put = (text: string): void => {
      writeFileSync(join(at, 'next'), text)
      renameSync(join(at, 'next'), join(policies, 'web.yaml'))
    }
    put(document(at, 'web', 'a'))
    const all = supervisor({ policies: { watch: policies } })
    const { attempt, sandbox } = await ruled(all, { policy: 'web' })
    const other = await ruled(all, { policy: policy(`fs:\n  read: ['${at}/a/**']`) })
    expect(await attempt(`read('${at}/a/x')`)).toBe("'a'")
    put(document(at, 'web', 'b'))
    await until(() => sandbox.policy.generation === 2)
    expect(await attempt(`read('${at}/b/x')`)).toBe("'b'")
    expect(await attempt(`read('${at}/a/x')`)).toBe('PermissionError EACCES')
    expect(await other.attempt(`read('${at}/a/x')`)).toBe("'a'")
    put('version: 1\nfs:\n  raed: []\n')
    await until(() => all.policyStatus()?.state === 'failing')
    expect(String(all.policyStatus()?.error)).toContain('web.yaml')
    expect(await attempt(`read('${at}/b/x')`)).toBe("'b'")
    expect(await all.spawn('late', { policy: 'web' }).then((late) => late.policy.name)).toBe('web')
  })
})

describe('the control socket', () => {
  it('lets who has a token reload and look, and nobody else', async () => {
    const at = files()
    const path = join(at, 'control')
    const all = supervisor({ control: { path } })
    await all.ready()
    const { sandbox, attempt } = await ruled(all, { policy: policy(`fs:\n  read: ['${at}/a/**']`) })
    const { token } = all.mintToken({ expiresIn: 60_000 })
    const ask = (method: string, url: string, body?: unknown, bearer = token) =>
      new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
        const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
        const asked = request({ socketPath: path, method, path: url, headers }, (response) => {
          let text = ''
          response.on('data', (chunk) => (text += chunk))
          response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) }))
        })
        asked.on('error', reject)
        asked.end(body === undefined ? undefined : JSON.stringify(body))
      })
    const documents = [{ file: '/elsewhere/p.yaml', text: document(at, 'sent', 'b') }]
    expect((await ask('POST', '/v1/reload', { documents }, 'wrong')).status).toBe(401)
    expect(await attempt(`read('${at}/b/x')`)).toBe('PermissionError EACCES')
    const done = await ask('POST', '/v1/reload', { documents })
    expect(done).toMatchObject({ status: 200, body: { reloaded: [{ sandbox: sandbox.name, generation: 2 }] } })
    expect(await attempt(`read('${at}/b/x')`)).toBe("'b'")
    const bad = await ask('POST', '/v1/reload', { documents: [{ file: '/p.yaml', text: 'version: 2\n' }] })
    expect(bad).toMatchObject({ status: 422, body: { error: { code: 'ERR_PYISOLATE_POLICY' } } })
    const { body } = await ask('GET', '/v1/status')
    expect(body).toMatchObject({ sandboxes: [{ sandbox: sandbox.name, policy: 'sent', generation: 2 }] })
  })
})
