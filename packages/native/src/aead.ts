import type { Aead } from '@pyisolate/interface'

import { loadAddon } from './internal/load-addon.js'
import { locateAddon } from './internal/locate.js'

export interface NativeAeadOptions {
  /** The addon's path, where it isn't in its usual place. */
  readonly addon?: string
}

/**
 * ChaCha20-Poly1305 by OpenSSL's EVP, linked into the addon: nothing is allocated for a text, and `sealMany` and
 * `openMany` cross into native code once for a whole batch. A key keeps the highest counter it has sealed under, which
 * nothing sets back, and refuses by a `RangeError` to seal under it, or below it, again.
 * @throws EngineMissingError where the addon isn't built
 */
export function createNativeAead(options: NativeAeadOptions = {}): Aead {
  const { AeadKeyHandle } = loadAddon(locateAddon(options.addon))
  return Object.freeze({ name: 'openssl', createKey: (key: Uint8Array) => new AeadKeyHandle(key) })
}
