import { join } from 'node:path'

import { type CgroupHost, errnoOf } from './host.js'
import { isStale } from './parent-name.js'
import { tryRemove } from './remove-folders.js'

/**
 * Removes what supervisors left behind that ended without closing. Groups that something still runs in stay, with their
 * limits, until it has ended. Returns how many are gone.
 */
export function sweep(host: CgroupHost, folder: string): number {
  let removed = 0
  for (const name of host.folders(folder)) {
    if (!isStale(host, name)) continue
    try {
      if (tryRemove(host, join(folder, name))) removed++
    } catch (error) {
      // Another user's: nobody's duty but theirs, and no reason to do without groups.
      const errno = errnoOf(error)
      if (errno !== 'EACCES' && errno !== 'EPERM' && errno !== 'EROFS') throw error
    }
  }
  return removed
}
