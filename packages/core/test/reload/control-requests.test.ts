import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/index.js'
import { ReloadTokens } from '../../src/internal/reload/tokens.js'
import { type Ask, ask, control } from './control-support.js'

const text = 'version: 1\nname: sent\n'

describe('a request for a reload', () => {
  it('reaches the supervisor with its policy, its sandboxes and whose token it was', async () => {
    const { path, token, asked, log } = await control()
    const documents = [
      { file: '/a/p.yaml', text },
      { file: '/a/base.yaml', text: 'version: 1\n' },
    ]
    const first = await ask(path, { token, body: { documents, sandboxes: ['web-1', 'é'] } })
    expect(first).toMatchObject({ status: 200, body: { generation: 2 } })
    expect((await ask(path, { token, body: { template: 'compute' } })).status).toBe(200)
    const grant = { id: log[0]!.id, label: undefined, sandboxes: 'all' }
    expect(asked).toEqual([
      { policy: { documents }, sandboxes: ['web-1', 'é'], token: grant },
      { policy: { template: 'compute' }, sandboxes: undefined, token: grant },
    ])
    expect(log.map(({ outcome, sandboxes }) => [outcome, sandboxes])).toEqual([
      ['accepted', ['web-1', 'é']],
      ['accepted', undefined],
    ])
  })

  it.each<[string, Ask, number]>([
    ['no token', {}, 401],
    ['a guessed token', { token: 'pyi_reload_guess' }, 401],
    ['an empty token', { headers: { authorization: 'Bearer ' } }, 401],
    ['another scheme', { headers: { authorization: 'Basic eDp5' } }, 401],
    ['two tokens', { headers: { authorization: 'Bearer a, Bearer b' } }, 401],
    ['a token without end', { headers: { authorization: `Bearer ${'a'.repeat(5000)}` } }, 401],
    ['a header too long', { headers: { authorization: `Bearer ${'a'.repeat(9000)}` } }, 431],
  ])('is nothing with %s', async (_, request, status) => {
    const { path, asked, faults } = await control()
    const reply = await ask(path, request).catch((error) => error)
    expect(reply.status).toBe(status)
    if (status === 401) {
      expect(reply).toMatchObject({ body: { error: { code: 'ERR_PYISOLATE_TOKEN', problem: 'unknown' } } })
      expect(reply.headers['www-authenticate']).toBe('Bearer')
    }
    expect([asked, faults]).toEqual([[], []])
  })

  it('is nothing with a token that is expired, used, revoked or for others', async () => {
    const { path, tokens, asked, log } = await control()
    const problem = async (token: string, sandboxes?: string[]) => {
      const { status, body } = await ask(path, { token, body: { template: 'x', ...(sandboxes && { sandboxes }) } })
      return [status, (body as { error?: { problem: string } }).error?.problem]
    }
    const scoped = tokens.mint({ expiresIn: 60_000, sandboxes: ['web-*'], singleUse: true })
    expect(await problem(scoped.token)).toEqual([403, 'out-of-scope'])
    expect(await problem(scoped.token, ['db'])).toEqual([403, 'out-of-scope'])
    expect(await problem(scoped.token, ['web-1'])).toEqual([200, undefined])
    expect(await problem(scoped.token, ['web-1'])).toEqual([401, 'used'])
    const revoked = tokens.mint({ expiresIn: 60_000 })
    tokens.revoke(revoked.id)
    expect(await problem(revoked.token)).toEqual([401, 'unknown'])
    expect(asked).toHaveLength(1)
    expect(log.map(({ outcome }) => outcome)).toEqual(['out-of-scope', 'out-of-scope', 'accepted', 'used', 'unknown'])
  })

  it('uses a token for one use once, however many come at a time', async () => {
    const { path, tokens, asked } = await control()
    const { token } = tokens.mint({ expiresIn: 60_000, singleUse: true })
    const replies = await Promise.all(Array.from({ length: 10 }, () => ask(path, { token })))
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(401)])
    expect(asked).toHaveLength(1)
  })

  const documents = [{ file: '/p', text }]
  it.each<[string, number, Ask]>([
    ['GET', 405, { method: 'GET' }],
    ['PUT', 405, { method: 'PUT' }],
    ['POST for the status', 405, { url: '/v1/status' }],
    ['another path', 404, { url: '/v1/reload/' }],
    ['a query', 404, { url: '/v1/reload?all' }],
    ['a whole URL', 404, { url: 'http://evil/v1/reload' }],
    ['a form', 415, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['no JSON', 400, { raw: '{' }],
    ['no UTF-8', 400, { raw: Buffer.from([0x22, 0xff, 0x22]) }],
    ['null', 400, { raw: 'null' }],
    ['a list', 400, { body: [] }],
    ['nothing', 400, { body: {} }],
    ['both', 400, { body: { template: 'x', documents } }],
    ['a template that is a path', 400, { body: { template: '/etc/passwd' } }],
    ['one that is a relative path', 400, { body: { template: './p.yaml' } }],
    ['one that leads out', 400, { body: { template: 'a/../../etc/passwd' } }],
    ['an unknown key', 400, { body: { template: 'x', token: 'y' } }],
    ['__proto__', 400, { raw: '{"template":"x","__proto__":{"sandboxes":["a"]}}' }],
    ['no documents', 400, { body: { documents: [] } }],
    ['65 documents', 400, { body: { documents: Array(65).fill(documents[0]) } }],
    ['a document without text', 400, { body: { documents: [{ file: '/p' }] } }],
    ['a document with more', 400, { body: { documents: [{ ...documents[0], mode: 1 }] } }],
    ['a file name with NUL', 400, { body: { documents: [{ file: '/p\0', text }] } }],
    ['no sandboxes', 400, { body: { template: 'x', sandboxes: [] } }],
    ['sandboxes as text', 400, { body: { template: 'x', sandboxes: 'a' } }],
    ['a sandbox that is a number', 400, { body: { template: 'x', sandboxes: [1] } }],
    ['more text than a policy has', 413, { body: { documents: [{ file: '/p', text: '#'.repeat(2 ** 20 + 1) }] } }],
  ])('is refused: %s', async (_, status, request) => {
    const { path, token, asked, faults } = await control()
    const reply = await ask(path, { token, ...request })
    expect(reply).toMatchObject({ status, body: { error: { code: 'ERR_PYISOLATE_CONTROL' } } })
    expect([asked, faults]).toEqual([[], []])
  })

  it('may be a whole mebibyte, however JSON writes it', async () => {
    const { path, token, asked } = await control()
    const large = '#\n'.repeat(2 ** 19)
    expect((await ask(path, { token, body: { documents: [{ file: '/p', text: large }] } })).status).toBe(200)
    expect(asked).toMatchObject([{ policy: { documents: [{ text: large }] } }])
  })

  it('hears why the supervisor refused, and nothing of its faults', async () => {
    const failure = { error: new OptionError('sandboxes[0]', 'there is no sandbox "x"') as Error }
    const reload = async () => {
      throw failure.error
    }
    const { path, token, faults } = await control({ handlers: { reload, status: async () => ({}) } })
    expect(await ask(path, { token })).toMatchObject({
      status: 422,
      body: {
        error: { code: 'ERR_PYISOLATE_OPTION', option: 'sandboxes[0]', message: expect.stringContaining('no sandbox') },
      },
    })
    expect(faults).toEqual([])
    failure.error = new Error('a secret')
    const reply = await ask(path, { token })
    expect(reply).toMatchObject({ status: 500, body: { error: { code: 'ERR_PYISOLATE_CONTROL' } } })
    expect(JSON.stringify(reply)).not.toContain('secret')
    expect(faults).toEqual([failure.error])
  })

  it('gets an answer when the supervisor has none that JSON can say', async () => {
    const results: unknown[] = [1n, undefined]
    const { path, token, faults } = await control({
      handlers: { reload: async () => results.shift(), status: async () => ({}) },
    })
    expect((await ask(path, { token })).status).toBe(500)
    expect(faults).toMatchObject([expect.any(TypeError)])
    expect(await ask(path, { token })).toMatchObject({ status: 200, body: null })
  })

  it('is refused, and a fault, when its use can’t be logged', async () => {
    const full = new Error('the disk is full')
    const tokens = new ReloadTokens({
      onUse: () => {
        throw full
      },
    })
    const { path, asked, faults } = await control({ tokens })
    const { token } = tokens.mint({ expiresIn: 60_000 })
    expect((await ask(path, { token })).status).toBe(500)
    expect([asked, faults]).toEqual([[], [full]])
  })
})

describe('a request for the status', () => {
  it('is answered for a token, without using it up', async () => {
    const { path, tokens, log } = await control()
    const { token } = tokens.mint({ expiresIn: 60_000, singleUse: true })
    for (let turn = 0; turn < 2; turn++)
      expect(await ask(path, { method: 'GET', url: '/v1/status', token })).toMatchObject({
        status: 200,
        body: { state: 'current' },
      })
    expect((await ask(path, { method: 'GET', url: '/v1/status' })).status).toBe(401)
    expect(log.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'status accepted',
      'status accepted',
      'status unknown',
    ])
  })
})

describe('a connection that', () => {
  /** What a raw client gets until the server hangs up. */
  const raw = (path: string, ...parts: (string | Buffer)[]) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(path)
      let got = ''
      socket.on('data', (chunk) => {
        got += chunk
      })
      socket.on('close', () => resolve(got))
      // The server may hang up while we still write.
      socket.on('error', (error: NodeJS.ErrnoException) =>
        ['EPIPE', 'ECONNRESET'].includes(error.code!) ? resolve(got) : reject(error),
      )
      for (const part of parts) socket.write(part)
    })
  const head = (token: string, more: string) =>
    `POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\n${more}\r\n\r\n`

  it('says nothing, or never ends its head or its body, is hung up on', async () => {
    const { path, token, asked } = await control({ requestTimeout: 200 })
    const ended = await Promise.all([
      raw(path),
      raw(path, 'POST /v1/reload HTTP/1.1\r\nHost: x\r\n'),
      raw(path, head(token, 'Content-Length: 100'), '{"template":'),
      raw(path, head(token, 'Transfer-Encoding: chunked'), '5\r\n{"tem\r\n'),
    ])
    for (const got of ended) expect(got).toMatch(/^$|^HTTP\/1.1 408 /)
    expect(asked).toEqual([])
  })

  it('sends too much is told so before it has', async () => {
    const { path, token, asked } = await control()
    expect(await raw(path, head(token, `Content-Length: ${2 ** 40}`))).toMatch(/^HTTP\/1.1 413 /)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, ' '), Buffer.from('\r\n')])
    const endless = await raw(path, head(token, 'Transfer-Encoding: chunked'), ...Array(40).fill(chunk))
    expect(endless).toMatch(/^$|^HTTP\/1.1 413 /)
    expect(asked).toEqual([])
  })

  it('has no good token has its body read by nobody', async () => {
    const { path, log } = await control()
    expect(await raw(path, head('guess', `Content-Length: ${2 ** 20}`))).toMatch(/^HTTP\/1.1 401 /)
    expect(log).toMatchObject([{ outcome: 'unknown' }])
  })

  it('smuggles a second request gets an answer to the first at most', async () => {
    const { path, token, asked } = await control()
    const body = '{"template":"a"}'
    const hidden = head(token, `Content-Length: ${body.length}`) + body
    const both = `Content-Length: 3\r\nTransfer-Encoding: chunked`
    expect(await raw(path, head(token, both), `0\r\n\r\n${hidden}`)).toMatch(/^HTTP\/1.1 400 /)
    expect(await raw(path, hidden, hidden)).toMatch(/^HTTP\/1.1 200 /)
    expect(asked).toHaveLength(1)
  })
})
