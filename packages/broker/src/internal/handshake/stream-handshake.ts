import { HandshakeError } from '../../errors/handshake-error.js'
import type { Remote } from '../../sealed-channel.js'
import type { ByteStream } from '../../transports/byte-stream.js'
import { concat } from '../bytes.js'
import { HELLO_START, mismatch, readHelloStart, readName } from './hello.js'
import { PeerCheck } from './peer-check.js'
import type { SettledSetup } from './settle-setup.js'
import type { StreamIntake } from './stream-intake.js'

/** A message's length goes before it, in two bytes; none has a length of zero, which stands for a refusal. */
const LENGTH_BYTES = 2
/** How long a peer may take to read that it is refused, in milliseconds. */
const REFUSAL_MS = 1_000

/** Runs the handshake over a stream. Who writes last has not heard yet whether the peer agrees. */
export async function shakeHands(
  setup: SettledSetup,
  stream: ByteStream,
  intake: StreamIntake,
): Promise<{ readonly remote: Remote; readonly wroteLast: boolean }> {
  const { handshake, hello, initiator } = setup
  const check = new PeerCheck(setup)
  let greeting: Uint8Array | undefined
  if (initiator) greeting = hello.bytes
  else await readHello(setup, stream, intake)
  let wroteLast = false
  while (handshake.turn !== 'done') {
    wroteLast = handshake.turn === 'write'
    if (wroteLast) {
      const message = handshake.writeMessage(check.payload())
      await write(stream, concat(...(greeting ? [greeting] : []), lengthOf(message), message))
      greeting = undefined
    } else {
      const [high, low] = await intake.read(LENGTH_BYTES)
      const length = (high! << 8) | low!
      if (length === 0) throw await refusal(setup, intake)
      check.read(handshake.readMessage(await intake.read(length)))
    }
  }
  return { remote: check.remote(), wroteLast }
}

async function readHello({ hello }: SettledSetup, stream: ByteStream, intake: StreamIntake): Promise<void> {
  const start = await intake.read(HELLO_START)
  const name = readName(await intake.read(readHelloStart(start)))
  if (name === hello.name) return
  const error = mismatch(hello.name, name)
  await write(stream, concat(new Uint8Array(LENGTH_BYTES), hello.bytes))
  stream.end()
  // A socket that is destroyed with something unread takes back what it has sent.
  intake.linger(REFUSAL_MS)
  throw error
}

/** Only a responder that was asked for a protocol it doesn't have sends one, and before everything else. */
async function refusal({ hello, initiator }: SettledSetup, intake: StreamIntake): Promise<HandshakeError> {
  const start = await intake.read(HELLO_START)
  const name = readName(await intake.read(readHelloStart(start)))
  if (!initiator || name === hello.name) {
    return new HandshakeError('message', 'a refusal that makes no sense')
  }
  return mismatch(hello.name, name)
}

function lengthOf(message: Uint8Array): Uint8Array {
  return Uint8Array.of(message.length >>> 8, message.length & 0xff)
}

function write(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (!error) resolve()
      else reject(new HandshakeError('transport', 'the transport failed', { cause: error }))
    })
  })
}
