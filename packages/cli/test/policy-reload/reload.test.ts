import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileBundle } from '@pyisolate/policy'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ControlReload, openControlSocket } from '../../../core/src/internal/reload/control-socket.js'
import { ReloadTokens } from '../../../core/src/internal/reload/tokens.js'
import { main } from '../../src/index.js'
import { FakeTerminal } from '../support.js'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'pyisolate-reload-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A supervisor's endpoint that compiles what it is sent, and a policy with a parent to send. */
async function endpoint() {
  const root = folder()
  const path = join(root, 'c.sock')
  const uses: string[] = []
  const asked: ControlReload[] = []
  const tokens = new ReloadTokens({ onUse: ({ outcome }) => uses.push(outcome) })
  const reload = async (request: ControlReload) => {
    asked.push(request)
    if ('template' in request.policy) return { name: request.policy.template }
    return { name: compileBundle(request.policy.documents).name }
  }
  const handlers = { reload, status: async () => ({}) }
  const socket = await openControlSocket({ path, tokens, handlers, onError: () => {} })
  onTestFinished(() => socket.close())
  mkdirSync(join(root, 'base'))
  writeFileSync(join(root, 'base', 'b.yaml'), 'version: 1\nfs: {deny: [/b]}\n')
  const file = join(root, 'p.yaml')
  writeFileSync(file, 'version: 1\nname: sent\nextends: ./base/b.yaml\n')
  const { token } = tokens.mint({ expiresIn: 60_000, sandboxes: ['web-*', '*'], singleUse: false })
  return { root, path, file, tokens, token, asked, uses }
}

async function policy(env: Record<string, string>, ...argv: string[]) {
  const terminal = new FakeTerminal({ env })
  const code = await main(['policy', ...argv], terminal)
  return { code, out: terminal.out, err: terminal.err }
}

describe('policy reload', () => {
  it('sends a file with all that it extends, for all sandboxes or those that are named', async () => {
    const { path, file, token, asked } = await endpoint()
    const { code, out, err } = await policy({ PYISOLATE_TOKEN: token }, 'reload', file, '--socket', path)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^reloaded: sent, [0-9a-f]{16}, \{"name":"sent"\}\n$/)
    const named = ['--sandbox', 'web-1', '--sandbox', 'web-2', '--json']
    const second = await policy({ PYISOLATE_TOKEN: token }, 'reload', file, '--socket', path, ...named)
    expect(second).toEqual({ code: 0, out: '{"name":"sent"}\n', err: '' })
    expect(asked.map(({ sandboxes }) => sandboxes)).toEqual([undefined, ['web-1', 'web-2']])
    expect(asked[0]!.policy).toMatchObject({ documents: [{ file }, { text: 'version: 1\nfs: {deny: [/b]}\n' }] })
  })

  it('sends a template by its name', async () => {
    const { path, token, asked } = await endpoint()
    expect((await policy({ PYISOLATE_TOKEN: token }, 'reload', 'compute', '--socket', path)).code).toBe(0)
    expect(asked).toMatchObject([{ policy: { template: 'compute' } }])
  })

  it('names what is wrong with a policy before anybody is asked', async () => {
    const { root, path, token, uses } = await endpoint()
    const bad = join(root, 'bad.yaml')
    writeFileSync(bad, 'version: 1\nlimits:\n  memry: 1GiB\n')
    const { code, err } = await policy({ PYISOLATE_TOKEN: token }, 'reload', bad, '--socket', path)
    expect(code).toBe(1)
    expect(err).toContain(`${bad}:3:3: the key "memry" is not known here`)
    expect(err).toContain('did you mean memory?')
    expect(uses).toEqual([])
  })

  it('takes the token from a file that others can’t read', async () => {
    const { root, path, file, token } = await endpoint()
    const tokenFile = join(root, 'token')
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
    const argv = ['reload', file, '--socket', path, '--token-file', tokenFile]
    expect((await policy({}, ...argv)).code).toBe(0)
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(tokenFile, mode)
      const { code, err } = await policy({}, ...argv)
      expect(code).toBe(2)
      expect(err).toContain('chmod 600')
      expect(err).not.toContain(token)
    }
  })

  it('says why the supervisor refused', async () => {
    const { path, file, tokens, uses } = await endpoint()
    const guess = await policy({ PYISOLATE_TOKEN: 'guess' }, 'reload', file, '--socket', path)
    expect(guess).toMatchObject({ code: 1, out: '', err: expect.stringContaining('(ERR_PYISOLATE_TOKEN)') })
    const { token } = tokens.mint({ expiresIn: 60_000, sandboxes: ['db'] })
    const scoped = await policy({ PYISOLATE_TOKEN: token }, 'reload', file, '--socket', path, '--json')
    expect(scoped.code).toBe(1)
    expect(JSON.parse(scoped.out)).toMatchObject({ error: { code: 'ERR_PYISOLATE_TOKEN', problem: 'out-of-scope' } })
    expect(uses).toEqual(['unknown', 'out-of-scope'])
  })

  it('says when nobody answers, and shows nobody the token', async () => {
    const root = folder()
    const nobody = await policy({ PYISOLATE_TOKEN: 'x' }, 'reload', 'compute', '--socket', join(root, 'none'))
    expect(nobody).toMatchObject({ code: 125, err: expect.stringContaining('ENOENT') })
    writeFileSync(join(root, 'file'), '')
    const file = await policy({ PYISOLATE_TOKEN: 'x' }, 'reload', 'compute', '--socket', join(root, 'file'))
    expect(file).toMatchObject({ code: 125, err: expect.stringContaining('no socket') })
  })

  it.each<[string, string, string]>([
    ['without end', `{"a":"${'x'.repeat(2 ** 20)}"}`, 'more than 1048576 bytes'],
    ['that is no JSON', 'hello', 'no JSON'],
    ['that a terminal would obey', '{"error":{"message":"\\u001b[2Jgone","code":"X"}}', 'refused: ?[2Jgone (X)'],
    ['that is null', 'null', 'status 418'],
  ])('takes no answer %s', async (_, body, expected) => {
    const path = join(folder(), 's')
    const server = createServer((_request, response) => response.writeHead(418).end(body))
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(path, resolve))
    const { code, err } = await policy({ PYISOLATE_TOKEN: 'x' }, 'reload', 'compute', '--socket', path)
    expect(code).not.toBe(0)
    expect(err).toContain(expected)
  })

  it.each<[string, string[], Record<string, string>]>([
    ['no file', ['--socket', '/x'], { PYISOLATE_TOKEN: 'x' }],
    ['two files', ['compute', 'ml', '--socket', '/x'], { PYISOLATE_TOKEN: 'x' }],
    ['no socket', ['compute'], { PYISOLATE_TOKEN: 'x' }],
    ['no token', ['compute', '--socket', '/x'], {}],
    ['a token of two lines', ['compute', '--socket', '/x'], { PYISOLATE_TOKEN: 'a\nb' }],
    ['the token as an argument', ['compute', '--socket', '/x', '--token', 'x'], {}],
  ])('is refused with %s', async (_, argv, env) => {
    expect((await policy(env, 'reload', ...argv)).code).toBe(2)
  })

  it('has help', async () => {
    expect(await policy({}, 'reload', '--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('--token-file'),
    })
    expect(await policy({}, 'sign', '-h')).toMatchObject({ code: 0, out: expect.stringContaining('--revision') })
  })
})
