import { generateKeyPairSync } from 'node:crypto'
import { createServer as createNetServer } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type PolicySourceProblem, signPolicy } from '../src/index.js'
import { type Handle, listen, privateKey, remote, serve, signed } from './sources-server.js'
import { policyText } from './sources-support.js'

const good = policyText('good')
const line = signPolicy(good, 2, privateKey)
const foreign = generateKeyPairSync('ed25519').privateKey
const bomb = Buffer.alloc(64 * 2 ** 20, '#')

const encoded = (encoding: string, body: Buffer): Handle => {
  return (_, response) =>
    response.writeHead(200, { 'content-encoding': encoding, 'pyisolate-signature': line }).end(body)
}

/** What a hostile server does, and what its client calls that. */
const servers: [string, PolicySourceProblem, Handle][] = [
  ['never answers', 'timeout', () => {}],
  [
    'answers a byte at a time',
    'timeout',
    (_, response) => {
      response.writeHead(200, { 'pyisolate-signature': line })
      const drip = setInterval(() => response.write('#'), 10)
      response.on('close', () => clearInterval(drip))
    },
  ],
  [
    'never ends its answer',
    'too-large',
    (_, response) => {
      response.writeHead(200, { 'pyisolate-signature': line })
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, '#')));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
  ],
  ['says it is a little and sends a lot', 'too-large', signed(Buffer.alloc(2 ** 20 + 1, '#'), 2)],
  ['sends a gzip bomb', 'too-large', encoded('gzip', gzipSync(bomb))],
  ['sends a brotli bomb', 'too-large', encoded('br', brotliCompressSync(bomb.subarray(0, 8 * 2 ** 20)))],
  ['sends a bomb in a bomb', 'parse', encoded('gzip, gzip', gzipSync(gzipSync(bomb)))],
  ['sends what is no gzip', 'parse', encoded('gzip', Buffer.from(good))],
  ['sends what is no brotli', 'parse', encoded('br', Buffer.from(good))],
  ['cuts gzip short', 'parse', encoded('gzip', gzipSync(good).subarray(0, -9))],
  ['names an unknown encoding', 'parse', encoded('constructor', Buffer.from(good))],
  ['hangs up', 'network', (request) => request.socket.destroy()],
  [
    'hangs up in the middle',
    'network',
    (_, response) => {
      response.writeHead(200, { 'content-length': '1000', 'pyisolate-signature': line })
      response.write(good, () => response.destroy())
    },
  ],
  ['redirects', 'redirect', (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()],
  [
    'redirects to a file',
    'redirect',
    (_, response) => response.writeHead(308, { location: 'file:///etc/passwd' }).end(),
  ],
  ['refuses', 'status', (_, response) => response.writeHead(403).end()],
  ['has an empty success', 'status', (_, response) => response.writeHead(204).end()],
  ['sends a part', 'status', (_, response) => response.writeHead(206, { 'pyisolate-signature': line }).end(good)],
  ['says nothing changed, unasked', 'status', (_, response) => response.writeHead(304).end()],
  [
    'signs nothing',
    'signature',
    (request, response) => response.writeHead(request.url!.endsWith('.sig') ? 404 : 200).end(good),
  ],
  ['signs with another key', 'signature', signed(good, 2, { key: foreign })],
  [
    'signs another document',
    'signature',
    (_, response) => response.writeHead(200, { 'pyisolate-signature': line }).end(`${good}#`),
  ],
  [
    'sends an endless signature',
    'too-large',
    (request, response) => response.end(request.url!.endsWith('.sig') ? 'v'.repeat(2000) : good),
  ],
  [
    'redirects for the signature',
    'redirect',
    (request, response) =>
      request.url!.endsWith('.sig') ? response.writeHead(301, { location: '/x' }).end() : response.end(good),
  ],
  [
    'sends two signatures',
    'signature',
    (_, response) => response.writeHead(200, { 'pyisolate-signature': [line, line] }).end(good),
  ],
  [
    'sends headers without end',
    'network',
    (_, response) => response.writeHead(200, { x: 'x'.repeat(20_000) }).end(good),
  ],
  ['signs what is no policy', 'parse', signed('version: 2\n', 2)],
  ['signs what is no text', 'parse', signed(Buffer.from([0x76, 0xff]), 2)],
]

describe('a server that', () => {
  it.each(servers)('%s has the answer: %s', async (_, problem, hostile) => {
    const server = await serve(signed(policyText('good', '32MiB'), 1))
    const source = remote(server.url, { timeout: 400 })
    await source.ready()
    const before = process.memoryUsage().rss
    server.handle = hostile
    const status = await source.check()
    expect(status).toMatchObject({ state: 'failing', failures: 1, revision: 1, error: { problem } })
    expect(status.error).toMatchObject({ code: 'ERR_PYISOLATE_POLICY_SOURCE', name: 'PolicySourceError' })
    expect(process.memoryUsage().rss - before).toBeLessThan(bomb.length)
    // The last good policy stays, and the next good one is taken.
    expect(source.policies().get('good')?.version).toBe('1')
    server.handle = signed(good, 2)
    expect(await source.check()).toMatchObject({ state: 'current', revision: 2, failures: 0, error: undefined })
  })

  it('takes connections and says nothing, or has no port, is not waited for', async () => {
    const silent = createNetServer()
    const port = await listen(silent as never)
    const hang = remote(`https://127.0.0.1:${port}/p.yaml`, { connectTimeout: 100 })
    expect((await hang.ready()).error).toMatchObject({ problem: 'timeout' })
    const closed = remote('http://127.0.0.1:1/p.yaml')
    expect((await closed.ready()).error).toMatchObject({ problem: 'network' })
  })

  it('tags a bad document doesn’t have it taken as current', async () => {
    const server = await serve((request, response) => {
      if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end()
      else signed('version: 2\n', 9, { headers: { etag: '"bad"' } })(request, response)
    })
    const source = remote(server.url)
    expect((await source.ready()).error).toMatchObject({ problem: 'parse' })
    expect((await source.check()).error).toMatchObject({ problem: 'parse' })
    expect(server.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined])
  })

  it('has a strange tag gets no tag back', async () => {
    const tags = ['"a" , "b"', '"\x80"', `"${'x'.repeat(300)}"`, 'bare', '"']
    for (const etag of tags) {
      const server = await serve(signed(good, 1, { headers: { etag } }))
      const source = remote(server.url)
      await source.ready()
      expect(await source.check()).toMatchObject({ state: 'current' })
      expect(server.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined])
    }
  })
})
