import { createHash, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Io, IoDatagrams } from '../../src/index.js'
import { backends, localhost, open } from './backends.js'

const at = ({ host, port }: IoDatagrams) => ({ host, port })
/** A container may have no IPv6. */
const hosts = ['127.0.0.1', '::1'].filter((host) =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host)),
)
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe.each(backends)('datagrams on %s', (backend) => {
  let io: Io
  beforeEach(() => {
    io = open(backend)
  })
  afterEach(() => io.close())

  it('come whole, with where they are from, whatever their length', async () => {
    const one = await io.datagrams(localhost)
    const other = await io.datagrams(localhost)
    expect(one.port).toBeGreaterThan(0)
    for (const length of [1, 0, 100, 8192, 8193, 20_000, 65_507]) {
      const sent = randomBytes(length)
      await one.send(sent, at(other))
      const { bytes, host, port } = await other.receive({ timeout: 5000 })
      expect([bytes.length, host, port]).toEqual([length, '127.0.0.1', one.port])
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'))
    }
    await expect(one.send(randomBytes(65_508), at(other))).rejects.toMatchObject({ errno: 'EMSGSIZE' })
    expect(io.stats().bytesIn).toBe(io.stats().bytesOut)
  })

  it('go from a socket that is not bound, to IPv4 and IPv6, and are answered', async () => {
    const near = await io.datagrams()
    expect(near.port).toBe(0)
    for (const host of hosts) {
      const far = createSocket(host === '::1' ? 'udp6' : 'udp4')
      far.bind(0, host)
      await once(far, 'listening')
      far.on('message', (bytes, { port, address }) => far.send(`${bytes} back`, port, address))
      await near.send(Buffer.from(host), { host, port: far.address().port })
      const got = await near.receive({ timeout: 5000 })
      expect([text(got.bytes), got.host, got.port]).toEqual([`${host} back`, host, far.address().port])
      far.close()
    }
  })

  it.runIf(hosts.includes('::1'))('of an IPv6 address say nothing of IPv4', async () => {
    const six = await io.datagrams({ host: '::1', port: 0 })
    await expect(six.send(Buffer.from('x'), { host: '127.0.0.1', port: 9 })).rejects.toMatchObject({
      errno: expect.stringMatching(/^(ENETUNREACH|EADDRNOTAVAIL|EINVAL)$/),
    })
    const four = await io.datagrams(localhost)
    await expect(four.send(Buffer.from('x'), { host: '::1', port: 9 })).rejects.toMatchObject({ errno: 'EAFNOSUPPORT' })
  })

  it('that nobody takes wait up to a window, and no further; what comes later is still whole', async () => {
    const near = await io.datagrams(localhost)
    const far = await io.datagrams(localhost)
    const before = io.stats().bytesIn
    for (let n = 0; n < 2000; n++) await near.send(Buffer.alloc(1000, n & 255), at(far))
    // What the thread has handed out; the kernel has some more, and has dropped the rest.
    expect(io.stats().bytesIn - before).toBeLessThan(512 * 1024)
    let received = 0
    let last = -1
    for (;;) {
      const found = await far.receive({ timeout: 200 }).catch((error) => error)
      if (found.code === 'ERR_PYISOLATE_IO_TIMEOUT') break
      expect(found.bytes.length).toBe(1000)
      expect(found.bytes.every((byte: number) => byte === found.bytes[0])).toBe(true)
      received++
      last = found.bytes[0]
    }
    expect(received).toBeGreaterThan(100)
    expect(last).toBeGreaterThanOrEqual(0)
    await near.send(Buffer.from('afterwards'), at(far))
    expect(text((await far.receive({ timeout: 5000 })).bytes)).toBe('afterwards')
  })

  it('have deadlines, can be given up, and lose nothing by it', async () => {
    const one = await io.datagrams(localhost)
    const other = await io.datagrams(localhost)
    await expect(other.receive({ timeout: 20 })).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_TIMEOUT' })
    const giveUp = new AbortController()
    const waiting = expect(other.receive({ signal: giveUp.signal })).rejects.toThrow('enough')
    giveUp.abort(new Error('enough'))
    await waiting
    await one.send(Buffer.from('first'), at(other))
    await one.send(Buffer.from('second'), at(other))
    expect(text((await other.receive({ timeout: 5000 })).bytes)).toBe('first')
    expect(text((await other.receive({ timeout: 5000 })).bytes)).toBe('second')
    await expect(one.send(Buffer.from('x'), at(other), { signal: giveUp.signal })).rejects.toThrow('enough')
  })

  it('say what is wrong, and end with their socket', async () => {
    const one = await io.datagrams(localhost)
    await expect(io.datagrams(at(one))).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO', errno: 'EADDRINUSE' })
    await expect(io.datagrams({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ errno: 'EADDRNOTAVAIL' })
    await expect(io.datagrams({ host: 'example.org', port: 0 })).rejects.toThrow(TypeError)
    const waiting = expect(one.receive()).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO_CLOSED' })
    const { open: before } = io.stats()
    await one.close()
    await waiting
    await expect(one.send(Buffer.from('x'), { host: '127.0.0.1', port: 9 })).rejects.toMatchObject({
      code: 'ERR_PYISOLATE_IO_CLOSED',
    })
    expect(io.stats().open).toBe(before - 1)
  })

  it('of many sockets at once are each their own', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => io.datagrams(localhost)))
    const answering = sockets.map(async (socket) => {
      for await (const { bytes, host, port } of socket)
        await socket.send(Buffer.from(`${bytes.length}`), { host, port })
    })
    const near = await io.datagrams()
    for (const [n, socket] of sockets.entries()) {
      await near.send(new Uint8Array(n), at(socket))
      const { bytes, port } = await near.receive({ timeout: 5000 })
      expect([text(bytes), port]).toEqual([String(n), socket.port])
    }
    await Promise.all(sockets.map((socket) => socket.close()))
    await Promise.all(answering)
  })
})
