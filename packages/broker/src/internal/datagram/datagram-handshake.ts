import { HandshakeError } from '../../errors/handshake-error.js'
import type { Remote } from '../../sealed-channel.js'
import type { DatagramReader, Datagrams } from '../../transports/datagrams.js'
import { concat, NO_BYTES, sameBytes } from '../bytes.js'
import { HELLO_START, mismatch, readHelloStart, readName } from '../handshake/hello.js'
import { PeerCheck } from '../handshake/peer-check.js'
import type { SettledSetup } from '../handshake/settle-setup.js'
import { HANDSHAKE_AT, PacketKind } from './packet.js'

const AGAIN_MS = 250

/**
 * A handshake over datagrams: each side says its last word again and again until it hears the next one. What isn't the
 * message that is waited for is left alone; that message, forged, ends the handshake.
 */
export class DatagramHandshake implements DatagramReader {
  readonly #setup: SettledSetup
  readonly #datagrams: Datagrams
  readonly #check: PeerCheck
  readonly #finished: Promise<void>
  #resolve!: () => void
  #reject!: (error: unknown) => void
  #number = 0
  #last: Uint8Array | undefined
  #heard: Uint8Array | undefined
  #timer: NodeJS.Timeout | undefined
  #next: DatagramReader | undefined
  /** Sealed datagrams that overtook the last message of the handshake: one, and the others are lost. */
  #early: Uint8Array | undefined

  constructor(setup: SettledSetup, datagrams: Datagrams) {
    this.#setup = setup
    this.#datagrams = datagrams
    this.#check = new PeerCheck(setup)
    this.#finished = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#finished.catch(() => {})
  }

  get wroteLast(): boolean {
    return this.#number % 2 === (this.#setup.initiator ? 1 : 0)
  }

  /** Until both sides have said everything. */
  async run(): Promise<Remote> {
    if (this.#setup.initiator) this.#guard(() => this.#write())
    await this.#finished
    return this.#check.remote()
  }

  /** The channel takes what comes; until it is confirmed, the last word is still said again. */
  handOver(reader: DatagramReader): void {
    this.#next = reader
    if (!this.wroteLast) this.stop()
    if (this.#early) reader.datagram(this.#early)
    this.#early = undefined
  }

  /** No word is said again. */
  stop(): void {
    clearInterval(this.#timer)
  }

  abort(error: unknown): void {
    this.stop()
    this.#reject(error)
  }

  /** Whether it is the message that ended the handshake, once more: then the peer has not heard of it. */
  isLastOfPeer(packet: Uint8Array): boolean {
    return !this.wroteLast && this.#heard !== undefined && sameBytes(packet, this.#heard)
  }

  datagram(bytes: Uint8Array): void {
    if (this.#next !== undefined) this.#next.datagram(bytes)
    else if (bytes[0] === PacketKind.sealed) this.#early ??= Uint8Array.from(bytes)
    else if (bytes[0] === PacketKind.refusal) this.#guard(() => this.#refused(Uint8Array.from(bytes)))
    else if (bytes[0] === PacketKind.handshake && bytes[1] === this.#number && this.#setup.handshake.turn === 'read') {
      this.#guard(() => this.#read(Uint8Array.from(bytes)))
    }
  }

  end(): void {
    if (this.#next !== undefined) this.#next.end()
    else this.abort(new HandshakeError('transport', 'the peer went away'))
  }

  fail(cause: Error): void {
    if (this.#next !== undefined) this.#next.fail(cause)
    else this.abort(new HandshakeError('transport', 'the transport failed', { cause }))
  }

  #read(packet: Uint8Array): void {
    const { handshake, hello, initiator } = this.#setup
    let at = HANDSHAKE_AT
    if (!initiator && this.#number === 0) {
      at += this.#readHello(packet.subarray(at), hello.name)
    }
    const payload = handshake.readMessage(packet.subarray(at))
    this.#number++
    this.#heard = packet
    this.#check.read(payload)
    if (handshake.turn === 'write') this.#write()
    else this.#resolve()
  }

  /** The length of what the initiator says first. */
  #readHello(bytes: Uint8Array, wanted: string): number {
    if (bytes.length < HELLO_START) throw new HandshakeError('message', 'a message is too short')
    const end = HELLO_START + readHelloStart(bytes)
    const name = readName(bytes.subarray(HELLO_START, end))
    if (name === wanted) return end
    this.#send(concat(Uint8Array.of(PacketKind.refusal), this.#setup.hello.bytes))
    throw mismatch(wanted, name)
  }

  /** Anybody can send one, before the peer has proved anything: it ends a handshake as a forged message does. */
  #refused(packet: Uint8Array): void {
    const bytes = packet.subarray(1)
    if (!this.#setup.initiator || this.#number !== 1 || bytes.length < HELLO_START) return
    const name = readName(bytes.subarray(HELLO_START, HELLO_START + readHelloStart(bytes)))
    if (name !== this.#setup.hello.name) throw mismatch(this.#setup.hello.name, name)
  }

  #write(): void {
    const { handshake, hello, initiator } = this.#setup
    const greeting = initiator && this.#number === 0 ? hello.bytes : NO_BYTES
    const message = handshake.writeMessage(this.#check.payload())
    this.#last = concat(Uint8Array.of(PacketKind.handshake, this.#number), greeting, message)
    if (this.#last.length > this.#datagrams.maxBytes)
      throw new HandshakeError('message', 'it is too long for a datagram')
    this.#number++
    this.stop()
    this.#timer = setInterval(() => this.#send(this.#last!), AGAIN_MS).unref()
    this.#send(this.#last)
    if (handshake.turn === 'done') this.#resolve()
  }

  #send(packet: Uint8Array): void {
    this.#datagrams.send(packet, (error) => {
      if (error) this.fail(error)
    })
  }

  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.abort(error)
    }
  }
}
