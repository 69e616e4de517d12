import { join } from 'node:path'

import { failure, inUse } from './failure.js'
import { type CgroupHost, errnoOf, unless } from './host.js'

/** Removes a folder and those below it, deepest first; `false`: something in it is still in use. */
export function tryRemove(host: CgroupHost, folder: string): boolean {
  let below: string[]
  try {
    below = host.folders(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true
    throw error
  }
  let free = true
  for (const name of below) free = tryRemove(host, join(folder, name)) && free
  return free && tryRemoveOne(host, folder)
}

/** The same of a folder that should have none below: most often one call. */
function tryRemoveOne(host: CgroupHost, folder: string): boolean {
  try {
    host.removeFolder(folder)
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return true
    if (errno === 'EBUSY' || errno === 'ENOTEMPTY') return false
    throw error
  }
}

const FIRST_DELAY_MS = 1
const MOST_DELAY_MS = 50

/**
 * Removes groups, ending what still runs in them, and again until it has: processes take a moment to end.
 * @throws CgroupError `EBUSY` after `patienceMs`
 */
export async function removeFolders(
  host: CgroupHost,
  folders: readonly string[],
  { kill, patienceMs }: { readonly kill: boolean; readonly patienceMs: number },
): Promise<void> {
  const end = performance.now() + patienceMs
  let left = folders.filter((folder) => !attempt(host, folder, tryRemoveOne))
  for (let delay = FIRST_DELAY_MS; left.length > 0; delay = Math.min(delay * 2, MOST_DELAY_MS)) {
    if (kill) for (const folder of left) killAll(host, folder)
    left = left.filter((folder) => !attempt(host, folder, tryRemove))
    if (left.length === 0) return
    if (performance.now() > end) throw failure('a control group could not be removed', left[0]!, undefined, inUse())
    await new Promise((resolve) => setTimeout(resolve, delay))
  }
}

function attempt(host: CgroupHost, folder: string, remove: typeof tryRemove): boolean {
  try {
    return remove(host, folder)
  } catch (cause) {
    throw failure('a control group could not be removed', folder, undefined, cause)
  }
}

/** Ends every process in a group. One that is gone already is what was wanted. */
export function killAll(host: CgroupHost, folder: string): void {
  // cgroup.kill: version 2 from Linux 5.14 on; it also reaches what is forked meanwhile.
  if (unless(['ENOENT', 'EACCES', 'EPERM'], () => host.write(join(folder, 'cgroup.kill'), '1'))) return
  signalAll(host, folder)
}

/** Version 1, or an old kernel. Numbers may be used again, but the supervisor reaps its cells only after it read them here. */
function signalAll(host: CgroupHost, folder: string): void {
  for (const pid of processesOf(host, folder)) {
    // 0 would be everybody in our own process group.
    if (pid > 0 && pid !== host.pid) unless(['ESRCH'], () => host.signal(pid, 'SIGKILL'))
  }
  unless(['ENOENT', 'ENODEV'], () => {
    for (const name of host.folders(folder)) signalAll(host, join(folder, name))
  })
}

/** The processes in a group, by their numbers in our pid namespace; 0 for one outside of it. */
export function processesOf(host: CgroupHost, folder: string): number[] {
  let text = ''
  // ENODEV, ENOENT: it was removed meanwhile. EOPNOTSUPP: a threaded group's processes are its parent's.
  unless(['ENOENT', 'ENODEV', 'EOPNOTSUPP'], () => {
    text = host.read(join(folder, 'cgroup.procs'))
  })
  return text.split('\n').flatMap((line) => (line === '' ? [] : [Number(line)]))
}
