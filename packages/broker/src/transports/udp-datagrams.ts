import type { Socket } from 'node:dgram'
import type { DatagramReader, Datagrams } from './datagrams.js'

/** What UDP over IPv4 carries at most. Beyond a path's MTU it is carried in pieces, and any of them may be lost. */
const MAX_BYTES = 65_507

/** A connected UDP socket, which then belongs to the channel. */
export function udpDatagrams(socket: Socket): Datagrams {
  return new UdpDatagrams(socket)
}

class UdpDatagrams implements Datagrams {
  readonly maxBytes = MAX_BYTES
  readonly #socket: Socket
  #reader: DatagramReader | undefined
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  start(reader: DatagramReader): void {
    this.#reader = reader
    this.#socket.on('message', (bytes) => this.#reader?.datagram(bytes))
    // Nobody listens there yet, or any more: whoever waits for an answer has a deadline.
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') this.#over()?.fail(error)
    })
    this.#socket.on('close', () => {
      this.#closed = true
      this.#over()?.end()
    })
  }

  send(bytes: Uint8Array, done: (error?: Error | null) => void): void {
    if (this.#closed) done(new Error('the socket is closed'))
    // A datagram that isn't sent is one that is lost.
    else this.#socket.send(bytes, () => done())
  }

  close(): void {
    this.#reader = undefined
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #over(): DatagramReader | undefined {
    const reader = this.#reader
    this.#reader = undefined
    return reader
  }
}
