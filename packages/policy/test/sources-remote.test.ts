import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { remotePolicy, signPolicy } from '../src/index.js'
import { certificate, certificateKey } from './sources-certificate.js'
import { listen, privateKey, publicKey, remote, serve, signed } from './sources-server.js'
import { closing, folder, policyText, reader, statusOf, within } from './sources-support.js'

describe('a policy from a URL', () => {
  it('comes signed in a header, and again when it changes', async () => {
    const server = await serve(signed(policyText('first'), 1))
    const source = remote(server.url)
    const next = reader(source)
    expect(await next()).toMatchObject({ name: 'first', version: '1', from: server.url, policy: { name: 'first' } })
    expect(await source.ready()).toMatchObject({ state: 'current', revision: 1, failures: 0, error: undefined })
    server.handle = signed(policyText('first', '65MiB'), 5)
    const status = await source.check()
    expect(await next()).toMatchObject({ version: '5', policy: { limits: { memory: 65 * 2 ** 20 } } })
    expect(status).toMatchObject({ state: 'current', revision: 5 })
    expect(status.lastChecked!.getTime()).toBeGreaterThanOrEqual(status.lastChanged!.getTime())
  })

  it('comes signed by the file beside it', async () => {
    const text = policyText('beside')
    const server = await serve((request, response) => {
      const { pathname, search } = new URL(request.url!, 'http://x')
      if (search !== '?v=1') response.writeHead(400).end()
      else if (pathname === '/p.yaml') response.end(text)
      else if (pathname === '/p.yaml.sig') response.end(`${signPolicy(text, 3, privateKey)}\n`)
      else response.writeHead(404).end()
    }, '/p.yaml?v=1')
    expect(await remote(server.url).ready()).toMatchObject({ state: 'current', revision: 3 })
  })

  it('is not sent twice: its ETag is', async () => {
    const text = policyText('tagged')
    const server = await serve((request, response) => {
      if (request.headers['if-none-match'] === '"one"') response.writeHead(304).end()
      else signed(text, 1, { headers: { etag: '"one"' } })(request, response)
    })
    const source = remote(server.url)
    const { lastChanged } = await source.ready()
    expect(await source.check()).toMatchObject({ state: 'current', revision: 1, lastChanged })
    expect(server.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"'])
    // The tag is the same and the document another: it is taken for what it is.
    server.handle = signed(policyText('tagged', '65MiB'), 2, { headers: { etag: '"one"' } })
    expect(await source.check()).toMatchObject({ revision: 2 })
  })

  it('may come compressed', async () => {
    const text = policyText('small')
    const server = await serve((_, response) => {
      const headers = { 'content-encoding': 'gzip', 'pyisolate-signature': signPolicy(text, 1, privateKey) }
      response.writeHead(200, headers).end(gzipSync(text))
    })
    expect(await remote(server.url).ready()).toMatchObject({ state: 'current' })
  })

  it('may ask for a header, which is sent for the signature too', async () => {
    const text = policyText('secret')
    const server = await serve((request, response) => {
      if (request.headers.authorization !== 'Bearer x') response.writeHead(401).end()
      else response.end(request.url!.endsWith('.sig') ? signPolicy(text, 1, privateKey) : text)
    })
    const source = remote(server.url, { headers: { authorization: 'Bearer x' } })
    expect(await source.ready()).toMatchObject({ state: 'current' })
    expect((await remote(server.url).ready()).error).toMatchObject({ problem: 'status' })
  })

  it('may extend templates and nothing else', async () => {
    const server = await serve(signed('version: 1\nname: n\nextends: compute\n', 1))
    const source = remote(server.url)
    expect((await source.ready()).state).toBe('current')
    server.handle = signed('version: 1\nname: n\nextends: /etc/passwd\n', 2)
    const { error, revision } = await source.check()
    expect(error).toMatchObject({ problem: 'parse', cause: { code: 'ERR_PYISOLATE_POLICY', problem: 'not-found' } })
    expect(error!.message).not.toContain('root:')
    expect(revision).toBe(1)
  })

  it('checks by itself, soon after a failure', async () => {
    const server = await serve((_, response) => response.writeHead(500).end())
    const source = remote(server.url, { interval: 40 })
    await statusOf(source, ({ failures }) => failures >= 2)
    server.handle = signed(policyText('back'), 1)
    await statusOf(source, ({ state, failures }) => state === 'current' && failures === 0)
    server.handle = signed(policyText('back', '65MiB'), 2)
    await statusOf(source, ({ revision }) => revision === 2)
  })

  it('ends in the middle of a check when it is closed', async () => {
    const server = await serve(() => {})
    const stop = new AbortController()
    const source = remote(server.url, { signal: stop.signal })
    const reading = reader(source)().catch((error: Error) => error.message)
    stop.abort()
    await within(source.close(), 'closing')
    expect(await reading).toBe('the source has ended')
    expect(source.status().state).toBe('closed')
  })

  it('refuses what it can’t work with', () => {
    const url = 'http://127.0.0.1:1/'
    const option = expect.objectContaining({ problem: 'option' })
    const refused = (options: object) =>
      expect(() => closing(remotePolicy({ url, publicKey, ...options }))).toThrow(option)
    for (const bad of ['ftp://x/', 'file:///etc/passwd', 'not a URL', 'https://user:secret@x/']) refused({ url: bad })
    expect(() => remotePolicy({ url: 'https://user:secret@x/', publicKey })).not.toThrow(/secret/)
    refused({ publicKey: 'none' })
    refused({ interval: 0 })
    refused({ timeout: Number.NaN })
    refused({ headers: { authorization: 'a\r\nx-evil: b' } })
  })
})

describe('revisions', () => {
  it('never go back, and are the same bytes for ever', async () => {
    const server = await serve(signed(policyText('p', '64MiB'), 7))
    const source = remote(server.url)
    await source.ready()
    server.handle = signed(policyText('p', '1GiB'), 6)
    expect(await source.check()).toMatchObject({ state: 'failing', revision: 7, error: { problem: 'rollback' } })
    // The same bytes under an older number are an older document all the same.
    server.handle = signed(policyText('p', '64MiB'), 6)
    expect(await source.check()).toMatchObject({ failures: 2, error: { problem: 'rollback' } })
    server.handle = signed(policyText('p', '1GiB'), 7)
    expect(await source.check()).toMatchObject({ failures: 3, error: { problem: 'rollback' } })
    expect(source.policies().get('p')).toMatchObject({ version: '7', policy: { limits: { memory: 64 * 2 ** 20 } } })
    server.handle = signed(policyText('p', '64MiB'), 7)
    expect(await source.check()).toMatchObject({ state: 'current', failures: 0, error: undefined })
  })

  it('are remembered over a restart', async () => {
    const stateFile = join(folder(), 'state.json')
    const server = await serve(signed(policyText('p'), 7))
    await remote(server.url, { stateFile }).ready()
    expect(JSON.parse(readFileSync(stateFile, 'utf8')).revision).toBe(7)
    expect(await remote(server.url, { stateFile }).ready()).toMatchObject({ state: 'current', revision: 7 })
    server.handle = signed(policyText('p', '1GiB'), 6)
    const restarted = remote(server.url, { stateFile })
    expect(await restarted.ready()).toMatchObject({ state: 'failing', error: { problem: 'rollback' } })
    expect(restarted.policies().size).toBe(0)
    server.handle = signed(policyText('p', '1GiB'), 7)
    expect(await restarted.check()).toMatchObject({ error: { problem: 'rollback' } })
    server.handle = signed(policyText('p', '1GiB'), 8)
    expect(await restarted.check()).toMatchObject({ state: 'current', revision: 8 })
    expect(readdirSync(join(stateFile, '..'))).toEqual(['state.json'])
  })

  it('are not guessed when the state can’t be read or written', async () => {
    const root = folder()
    const server = await serve(signed(policyText('p'), 7))
    const damaged = join(root, 'damaged.json')
    for (const text of ['', '{}', '{"revision":0,"sha256":""}', 'null', '{"revision":1e99}']) {
      writeFileSync(damaged, text)
      const source = remote(server.url, { stateFile: damaged })
      expect((await source.ready()).error).toMatchObject({ problem: 'state' })
      expect(source.policies().size).toBe(0)
    }
    for (const stateFile of [join(root, 'no', 'such', 'folder'), root]) {
      const source = remote(server.url, { stateFile })
      expect((await source.ready()).error).toMatchObject({ problem: 'state' })
      expect(source.policies().size).toBe(0)
    }
  })

  it('don’t move for what isn’t the publisher’s, or isn’t this policy', async () => {
    const server = await serve(signed(policyText('mine'), 1))
    const source = remote(server.url)
    await source.ready()
    // Another policy under the same key, served here by whoever has the wire.
    server.handle = signed(policyText('theirs'), 1000)
    expect(await source.check()).toMatchObject({ revision: 1, error: { problem: 'name' } })
    server.handle = signed('version: 1\nfs: [', 1001)
    expect(await source.check()).toMatchObject({ revision: 1, error: { problem: 'parse' } })
    server.handle = signed(policyText('mine', '65MiB'), 2)
    expect(await source.check()).toMatchObject({ revision: 2, state: 'current' })
    const named = remote(server.url, { name: 'theirs' })
    expect((await named.ready()).error).toMatchObject({ problem: 'name' })
  })
})

describe('HTTPS', () => {
  it('is trusted by its authority, and by nobody without it', async () => {
    const text = policyText('tls')
    const handler = (_: IncomingMessage, response: ServerResponse) =>
      response.writeHead(200, { 'pyisolate-signature': signPolicy(text, 1, privateKey) }).end(text)
    const port = await listen(createServer({ cert: certificate, key: certificateKey }, handler))
    const url = `https://127.0.0.1:${port}/p.yaml`
    expect(await remote(url, { ca: certificate }).ready()).toMatchObject({ state: 'current', revision: 1 })
    expect((await remote(url).ready()).error).toMatchObject({ problem: 'network' })
    expect((await remote(url, { ca: 'no certificate' }).ready()).error).toMatchObject({ problem: 'network' })
  })
})
