import { createRequire } from 'node:module'

import { EngineMissingError } from '@pyisolate/interface'

import { KeyRestoredError } from '../errors/key-restored-error.js'
import { SystemError } from '../errors/system-error.js'
import type { NativeAddon } from './addon.js'
import { setupHint } from './locate.js'

const PROTOCOL = 1
const loaded = new Map<string, NativeAddon>()

/** Loads the addon at `path` and hands it our error class. @throws EngineMissingError */
export function loadAddon(path: string): NativeAddon {
  const known = loaded.get(path)
  if (known) return known
  let addon: NativeAddon
  try {
    addon = createRequire(import.meta.url)(path) as NativeAddon
  } catch (cause) {
    throw new EngineMissingError(`the native addon can't be loaded from ${path}; ${setupHint}`, { cause })
  }
  if (addon.versions?.protocol !== PROTOCOL) {
    throw new EngineMissingError(`the native addon at ${path} is of another version; ${setupHint}`)
  }
  addon.setErrorClasses({ SystemError, KeyRestoredError })
  loaded.set(path, addon)
  return addon
}
