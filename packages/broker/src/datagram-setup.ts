import type { ChannelSetup } from './channel-setup.js'

export interface DatagramSetup extends ChannelSetup {
  /**
   * What becomes of the channel when a datagram comes twice, too late to tell, or isn't authentic. `end`, the default: it
   * fails. `drop`: the datagram is counted and forgotten, as must be where anybody may send one to this side, or where
   * the network repeats them.
   */
  readonly refused?: 'end' | 'drop'
  /** How far a datagram may be behind the latest one, under the same key: 32 to 65,536. Default 1024. */
  readonly window?: number
}
