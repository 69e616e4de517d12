import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * What control groups need of the operating system; everything throws Node's own system errors. Nearly all
 * is synchronous: the files are the kernel's, a write takes about ten microseconds, and a trip through a thread pool more.
 */
export interface CgroupHost {
  readonly pid: number
  read(file: string): string
  /** One write(2): the kernel takes a control file's value as a whole. */
  write(file: string, value: string): void
  /** The same off the event loop: moving a process may wait for all processors. */
  writeLater(file: string, value: string): Promise<void>
  makeFolder(folder: string): void
  removeFolder(folder: string): void
  /** The names of the folders, not of the files, in it. */
  folders(folder: string): string[]
  link(path: string): string
  signal(pid: number, signal: 'SIGKILL' | 0): void
}

export const kernelHost: CgroupHost = {
  pid: process.pid,
  read: (file) => readFileSync(file, 'utf8'),
  write(file, value) {
    // Without O_CREAT: a file that isn't there shall be ENOENT.
    const descriptor = openSync(file, constants.O_WRONLY)
    try {
      writeSync(descriptor, value)
    } finally {
      closeSync(descriptor)
    }
  },
  async writeLater(file, value) {
    const handle = await open(file, constants.O_WRONLY)
    try {
      await handle.write(value)
    } finally {
      await handle.close()
    }
  },
  makeFolder: (folder) => mkdirSync(folder),
  removeFolder: (folder) => rmdirSync(folder),
  folders: (folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
  link: (path) => readlinkSync(path),
  signal: (pid, signal) => void process.kill(pid, signal),
}

/** The name of the errno that a call of the host's failed with. @throws what isn't a system error */
export function errnoOf(error: unknown): string {
  const name = (error as { code?: unknown } | null)?.code
  if (error instanceof Error && typeof name === 'string') return name
  throw error
}

/** Does something that may fail with one of `errnos`, and says whether it didn't. @throws anything else */
export function unless(errnos: readonly string[], action: () => void): boolean {
  try {
    action()
    return true
  } catch (error) {
    if (errnos.includes(errnoOf(error))) return false
    throw error
  }
}
