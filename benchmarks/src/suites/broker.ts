import { createCipheriv, diffieHellman, generateKeyPairSync, randomBytes } from 'node:crypto'
import { type Aead, KeyPair, memoryStreamPair, nobleAead, openChannel } from '@pyisolate/broker'
import { createNativeAead } from '@pyisolate/native'
import type { Context } from '../context.js'
import { type Figure, figure, type Peer, peer } from '../figure.js'
import { alternate } from '../internal/alternate.js'
import { SealingLane } from '../internal/sealing-lane.js'
import { opensslSpeed } from '../limits/openssl-speed.js'
import { check, type Suite } from '../suite.js'

/** What a channel can be given; the first one that is there makes the figure, the others are beside it. */
const AEADS: readonly { readonly name: string; readonly aead: Aead }[] = [
  { name: 'native', aead: createNativeAead() },
  { name: 'TypeScript', aead: nobleAead },
]

export const broker: Suite = {
  name: 'broker',
  limit:
    "seal, open: the openssl command's ChaCha20-Poly1305 on one core (node:crypto's where there is none); handshake: its X25519 by node:crypto",
  async run(context): Promise<Figure[]> {
    const small = await sealing(context, '64B', 64)
    const large = await sealing(context, '1kB', 1000)
    return [small.seal, large.seal, large.open, ...(await handshakes(context))]
  },
}

async function sealing(context: Context, name: string, bytes: number): Promise<{ seal: Figure; open: Figure }> {
  context.step(`sealing ${name}`)
  const message = Uint8Array.from(randomBytes(bytes))
  const count = context.count(10_000, 300)
  const lanes = await Promise.all(AEADS.map(({ aead }) => SealingLane.open(aead)))
  const rates = lanes.map(() => ({ seal: [] as number[], open: [] as number[] }))
  const sealed = lanes.map((lane, at) => async () => {
    const { seal, open } = await lane.sample(message, count)
    rates[at]!.open.push(open)
    return seal
  })
  const node = async () => nodeRate(message, count)
  const parts = [...sealed, node]
  await alternate(context.count(3, 1), parts) // to warm up
  for (const rate of rates) rate.open.length = 0
  const samples = await alternate(context.count(25, 2), parts)
  const openssl = await repeat(context.count(5, 1), () => opensslSpeed(bytes))
  await Promise.all(lanes.map((lane) => lane.close()))
  const byNode = samples.at(-1)!
  const limit = openssl ?? byNode
  const make = (kind: 'seal' | 'open') => {
    const all = rates.map(({ open }, at) => (kind === 'seal' ? samples[at]! : open))
    const others = AEADS.slice(1).map((one, at) => peer(one.name, all[at + 1]!, 'higher'))
    const peers: Peer[] = [...others, peer('node:crypto, sealing, a cipher for each', byNode, 'higher')]
    return figure({ name: `broker.${kind}.${name}`, unit: 'per s', samples: all[0]!, limit, peers, better: 'higher' })
  }
  return { seal: make('seal'), open: make('open') }
}

async function repeat(times: number, measure: () => Promise<number | undefined>): Promise<number[] | undefined> {
  const samples: number[] = []
  for (let round = 0; round < times; round++) {
    const sample = await measure()
    if (sample === undefined) return undefined
    samples.push(sample)
  }
  return samples
}

/** What a program has without this package: messages per second, a cipher object for each. */
function nodeRate(message: Uint8Array, count: number): number {
  const key = randomBytes(32)
  const nonce = Buffer.alloc(12)
  let length = 0
  const start = performance.now()
  for (let number = 0; number < count; number++) {
    nonce.writeUInt32LE(number, 4)
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
    length += cipher.update(message).length
    cipher.final()
    length += cipher.getAuthTag().length
  }
  const rate = (count * 1000) / (performance.now() - start)
  check(length === count * (message.length + 16), 'what node:crypto sealed')
  return rate
}

async function handshakes(context: Context): Promise<Figure[]> {
  context.step('handshakes')
  const count = context.count(10, 1)
  const parts = [() => shake(false, count), () => shake(true, count), async () => agreements(count)]
  await alternate(context.count(3, 1), parts) // to warm up
  const [classic, hybrid, limit] = await alternate(context.count(20, 2), parts)
  return [
    figure({ name: 'broker.handshake', unit: 'µs', samples: classic!, limit: limit! }),
    figure({
      name: 'broker.handshake.pq',
      unit: 'µs',
      samples: hybrid!,
      limit: limit!,
      peers: [peer('without ML-KEM-768', classic!)],
    }),
  ]
}

/** Microseconds of a handshake of both sides in one process, until each has the other's word. */
async function shake(pq: boolean, count: number): Promise<number[]> {
  const samples: number[] = []
  const [ours, theirs] = [KeyPair.generate(), KeyPair.generate()]
  for (let round = 0; round < count; round++) {
    const [one, other] = memoryStreamPair()
    const start = performance.now()
    const [first, second] = await Promise.all([
      openChannel(one, { role: 'initiator', pattern: 'IK', keys: ours, remoteKey: theirs.publicKey, pq }),
      openChannel(other, { role: 'responder', pattern: 'IK', keys: theirs, peer: { keys: [ours.publicKey] }, pq }),
    ])
    samples.push((performance.now() - start) * 1000)
    check(Buffer.compare(first.handshakeHash, second.handshakeHash) === 0, 'the session')
    await Promise.all([first.close(), second.close()])
  }
  return samples
}

/** Microseconds of what X25519 an IK handshake has: a key pair and four agreements on each side. */
function agreements(count: number): number[] {
  const { publicKey } = generateKeyPairSync('x25519')
  return Array.from({ length: count }, () => {
    const start = performance.now()
    for (let side = 0; side < 2; side++) {
      const { privateKey } = generateKeyPairSync('x25519')
      for (let number = 0; number < 4; number++) diffieHellman({ privateKey, publicKey })
    }
    return (performance.now() - start) * 1000
  })
}
