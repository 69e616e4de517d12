import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectStream, openChannel, type SealedChannel, socketStream } from '../src/index.js'
import { collect, type Options, setups } from './support/open.js'

let folder: string
let servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pyisolate-broker-'))
})
afterEach(() => {
  for (const server of servers) server.close()
  servers = []
  rmSync(folder, { recursive: true })
})

async function listen(where: 'TCP' | 'Unix', onSocket: (socket: Socket) => void) {
  const server = createServer(onSocket)
  servers.push(server)
  const path = join(folder, 'socket')
  await new Promise<void>((resolve) => {
    if (where === 'Unix') server.listen(path, resolve)
    else server.listen(0, '127.0.0.1', resolve)
  })
  return where === 'Unix' ? { path } : { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

async function openOver(where: 'TCP' | 'Unix', options: Options = {}, theirs: Options = options) {
  const [first, second] = setups(options, theirs)
  let socket!: Socket
  const accepted = new Promise<SealedChannel>((resolve, reject) => {
    void listen(where, (one) => {
      socket = one
      openChannel(socketStream(one), second).then(resolve, reject)
    }).then(async (to) => {
      const stream = await connectStream(to)
      openChannel(stream, first).then((channel) => {
        ours = channel
      }, reject)
    })
  })
  let ours!: SealedChannel
  const channel = await accepted
  while (ours === undefined) await new Promise((resolve) => setImmediate(resolve))
  return { ours, theirs: channel, socket }
}

describe.each(['TCP', 'Unix'] as const)('over a %s socket', (where) => {
  it('messages of all lengths arrive, both ways at once', async () => {
    const { ours, theirs } = await openOver(where, { pq: true })
    const lengths = [0, 1, 100, 70_000, 1_000_000, 5]
    const both = [collect(theirs)]
    const echoing = (async () => {
      const got: number[] = []
      for await (const message of ours.messages()) {
        got.push(message.length)
        if (got.length === lengths.length) return got
      }
      return got
    })()
    for (const length of lengths) {
      await ours.send(new Uint8Array(length).fill(1))
      await theirs.send(new Uint8Array(length).fill(2))
    }
    expect(await echoing).toEqual(lengths)
    await ours.close()
    const [{ messages, error }] = (await Promise.all(both)) as [{ messages: Uint8Array[]; error: unknown }]
    expect(error).toBeUndefined()
    expect(messages.map(({ length }) => length)).toEqual(lengths)
    expect(await theirs.closed).toEqual({ kind: 'closed', by: 'peer', answered: true })
    expect(await ours.closed).toEqual({ kind: 'closed', by: 'us', answered: true })
  })

  it('a slow reader holds the writer back', async () => {
    const { ours, theirs } = await openOver(where)
    let sent = 0
    const sending = (async () => {
      for (; sent < 500; sent++) await ours.send(new Uint8Array(60_000).fill(sent))
    })()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const held = sent
    // Both sides' buffers, and the kernel's: some megabytes.
    expect(held).toBeLessThan(400)
    let count = 0
    for await (const message of theirs.messages()) {
      expect(message[0]).toBe(count & 0xff)
      if (++count === 500) break
    }
    await sending
    await theirs.close()
  })

  it('a socket that dies is a truncation or a failure, never an end', async () => {
    const ways = [(socket: Socket) => socket.destroy(), (socket: Socket) => socket.resetAndDestroy()]
    // Only TCP has a reset.
    for (const die of where === 'TCP' ? ways : ways.slice(0, 1)) {
      const { ours, socket } = await openOver(where)
      die(socket)
      const { error } = await collect(ours)
      expect(error).toMatchObject({ code: 'ERR_PYISOLATE_CHANNEL' })
      expect(['truncated', 'transport']).toContain((error as { problem: string }).problem)
      for (const server of servers.splice(0)) server.close()
      rmSync(join(folder, 'socket'), { force: true })
    }
  })
})

describe('a peer over TCP', () => {
  it('that lacks the hybrid form is told so, and so are we', async () => {
    const [first, second] = setups({ pq: true }, {})
    let refused: unknown
    const to = await listen('TCP', (socket) => {
      openChannel(socketStream(socket), second).catch((error: unknown) => {
        refused = error
      })
    })
    const opening = openChannel(await connectStream(to), first)
    await expect(opening).rejects.toMatchObject({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'pq' })
    while (refused === undefined) await new Promise((resolve) => setImmediate(resolve))
    expect(refused).toMatchObject({ code: 'ERR_PYISOLATE_HANDSHAKE', problem: 'pq' })
  })

  it('that nobody is rejects, as does an abort', async () => {
    await expect(connectStream({ path: join(folder, 'none') })).rejects.toMatchObject({ code: 'ENOENT' })
    const signal = AbortSignal.abort(new Error('no'))
    await expect(connectStream({ path: join(folder, 'none') }, { signal })).rejects.toThrow('no')
  })
})

describe('a socket stream', () => {
  it('gives no more at once than a stream may, and nothing while it is paused', async () => {
    const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    const stream = socketStream(duplex as unknown as Socket)
    const lengths: number[] = []
    let ended = 0
    stream.start({
      data(bytes) {
        lengths.push(bytes.length)
        if (lengths.length % 2 === 1) stream.pause()
      },
      end: () => ended++,
      fail: () => {},
    })
    duplex.push(Buffer.alloc(200_000))
    duplex.push(Buffer.alloc(10))
    duplex.push(null)
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    await turn()
    expect(lengths).toEqual([65_536])
    stream.resume()
    stream.resume()
    await turn()
    expect(lengths).toEqual([65_536, 65_536, 65_536])
    stream.resume()
    await turn()
    await turn()
    expect(lengths).toEqual([65_536, 65_536, 65_536, 3392, 10])
    stream.resume()
    await turn()
    expect(ended).toBe(1)
  })

  it('tells of an error that came before anybody listened', async () => {
    const socket = connect({ path: join(folder, 'none') })
    const stream = socketStream(socket)
    await new Promise((resolve) => socket.once('close', resolve))
    const failed = new Promise<Error>((fail) => stream.start({ data: () => {}, end: () => {}, fail }))
    expect(await failed).toMatchObject({ code: 'ENOENT' })
  })
})
