import {
  type ByteStream,
  type ChannelSetup,
  KeyPair,
  memoryStreamPair,
  openChannel,
  type SealedChannel,
} from '../../src/index.js'

const initiatorKeys = KeyPair.generate()
const responderKeys = KeyPair.generate()

export type Options = Partial<ChannelSetup>

/** Options of both sides of an `IK` channel whose sides know each other. */
export function setups(options: Options = {}, theirs: Options = options): [ChannelSetup, ChannelSetup] {
  const peer = { keys: [initiatorKeys.publicKey] }
  return [
    { role: 'initiator', pattern: 'IK', keys: initiatorKeys, remoteKey: responderKeys.publicKey, ...options },
    { role: 'responder', pattern: 'IK', keys: responderKeys, peer, ...theirs },
  ]
}

export async function openPair(
  options: Options = {},
  theirs: Options = options,
  [first, second]: readonly [ByteStream, ByteStream] = memoryStreamPair(),
): Promise<[SealedChannel, SealedChannel]> {
  const [ours, others] = setups(options, theirs)
  return Promise.all([openChannel(first, ours), openChannel(second, others)])
}

/** What still comes, and the error that ended it, if one did. */
export async function collect(channel: SealedChannel): Promise<{ messages: Uint8Array[]; error: unknown }> {
  const messages: Uint8Array[] = []
  try {
    for await (const message of channel.messages()) messages.push(message)
    return { messages, error: undefined }
  } catch (error) {
    return { messages, error }
  }
}

/** Turns of the event loop, for what is under way to arrive. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}
