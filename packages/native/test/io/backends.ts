import { createIo, type Io, type IoBackend } from '../../src/index.js'

/** Both run the same tests. */
export const backends: readonly IoBackend[] = ['io_uring', 'epoll']

export const dist = new URL('../../dist/index.js', import.meta.url).href

export const localhost = { host: '127.0.0.1', port: 0 }

/** Two ends of a connection. */
export async function pair(io: Io) {
  const listener = await io.listen(localhost)
  const [near, far] = await Promise.all([
    io.connect({ host: '127.0.0.1', port: listener.port }),
    listener.accept({ timeout: 5000 }),
  ])
  return { listener, near, far }
}

export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

export function open(backend: IoBackend): Io {
  return createIo({ backend })
}
