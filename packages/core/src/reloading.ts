import type { PolicyInForce } from './sandbox.js'

export interface ReloadOptions {
  /** Names of running sandboxes; default: all that can be reloaded. */
  readonly sandboxes?: readonly string[]
  /** Checked, used up if it is good for one use, and logged by the event `token`. Without one the caller itself answers for it. */
  readonly token?: string
}

/** What became of a reload, sandbox by sandbox: one that refuses keeps its old policy, and the others have the new one. */
export interface ReloadResult {
  readonly reloaded: readonly (PolicyInForce & { readonly sandbox: string })[]
  readonly refused: readonly { readonly sandbox: string; readonly code: string; readonly message: string }[]
}

/** Where policies come from while the supervisor runs. Sandboxes that were spawned with a policy's name follow it. */
export type PoliciesOptions =
  /** A file, or a folder of `NAME.yaml`. */
  | {
      readonly watch: string
      /** For how long a file must have been left alone before it is read, in milliseconds. Default 100. */
      readonly settle?: number
      /** How often to look without being told to, in milliseconds. Default 10,000. */
      readonly recheck?: number
    }
  /** A signed document; see `remotePolicy` of `@pyisolate/policy`. Its own `name` is what `spawn` calls it by. */
  | {
      readonly url: string | URL
      /** Ed25519: PEM, or a `KeyObject`. */
      readonly publicKey: unknown
      /** What the document's own `name` must be. Give it if the key signs more than one policy. */
      readonly name?: string
      /** Milliseconds. Default 60,000. */
      readonly interval?: number
      /** Where the highest revision is kept, so that a restart accepts no older one. */
      readonly stateFile?: string
      readonly headers?: Readonly<Record<string, string>>
      /** To be connected, and for a whole check, in milliseconds. Default 5,000 and 30,000. */
      readonly connectTimeout?: number
      readonly timeout?: number
      /** Certificate authorities in place of the system's; PEM. */
      readonly ca?: string | Uint8Array
    }

export interface ControlOptions {
  /** Of a Unix socket that `pyisolate policy reload` speaks to. Its folder must be closed to other users' writes. */
  readonly path: string
}

/** The source of the supervisor's policies, as it was last seen. */
export interface PolicyStatus {
  readonly from: string
  readonly state: 'starting' | 'current' | 'failing' | 'missing' | 'closed'
  readonly lastChecked: Date | undefined
  readonly lastChanged: Date | undefined
  readonly error: Error | undefined
}
