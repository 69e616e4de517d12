import { type DatagramSetup, type Datagrams, openDatagramChannel, type SealedChannel } from '../../src/index.js'
import { setups } from './open.js'

export type Options = Partial<DatagramSetup>

export function openDatagramPair(
  pair: readonly [Datagrams, Datagrams],
  options: Options = {},
  theirs: Options = options,
): Promise<[SealedChannel, SealedChannel]> {
  const [first, second] = setups(options, theirs)
  return Promise.all([openDatagramChannel(pair[0], first), openDatagramChannel(pair[1], second)])
}
