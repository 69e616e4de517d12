import type { Stats } from 'node:fs'
import { chmod, link, lstat, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { ControlError } from './control-error.js'

/** unix(7): `sun_path` has 108 bytes, the last for a NUL. */
const longestPath = 107

/**
 * Has a server listen on a Unix socket that nobody but its owner can open, at any moment: it is made in a folder of its
 * own, closed to others, and linked to its place when it is ready. What a dead supervisor left there is replaced; a
 * living one's is not.
 * @returns takes the socket away, if it is still this one
 * @throws ControlError
 */
export async function listenAt(server: Server, at: string): Promise<() => Promise<void>> {
  const path = resolve(at)
  await checkFolder(dirname(path))
  const made = join(dirname(path), '.pyi-XXXXXX', 's')
  if (Buffer.byteLength(made) > longestPath)
    throw new ControlError('path', `${path}: expected a path shorter by ${Buffer.byteLength(made) - longestPath} bytes`)
  const folder = await mkdtemp(join(dirname(path), '.pyi-')) // of mode 0700
  try {
    const fresh = join(folder, 's')
    await listen(server, fresh)
    await chmod(fresh, 0o600)
    await removeStale(path, join(folder, 'old'))
    await link(fresh, path).catch((cause) => {
      if (cause.code === 'EEXIST') throw inUse(path, cause)
      throw new ControlError('path', `${path}: the socket can't be made there (${cause.code})`, { cause })
    })
    const { dev, ino } = await lstat(path)
    return async () => {
      const there = await find(path)
      if (there?.ino === ino && there.dev === dev) await rm(path, { force: true })
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whoever can write to the folder can put a socket of their own in place of ours, and be sent our users' tokens. */
async function checkFolder(folder: string): Promise<void> {
  let stats: Stats
  try {
    stats = await stat(folder)
  } catch (cause) {
    throw new ControlError('path', `${folder}: expected a folder (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
  const others = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0
  const foreign = stats.uid !== 0 && stats.uid !== process.getuid!()
  if (!stats.isDirectory() || others || foreign)
    throw new ControlError(
      'path',
      `${folder}: expected a folder of this user's that others can't write to (chmod go-w)`,
    )
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void =>
      reject(new ControlError('path', `${path}: the socket can't be made there (${cause.code})`, { cause }))
    server.once('error', fail)
    server.listen(path, () => {
      server.off('error', fail)
      resolve()
    })
  })
}

async function removeStale(path: string, old: string): Promise<void> {
  const there = await find(path)
  if (there === undefined) return
  if (!there.isSocket()) throw new ControlError('path', `${path}: expected nothing, or a socket, got another file`)
  if (await answers(path)) throw inUse(path)
  await rename(path, old)
  const taken = await lstat(old)
  if (taken.ino === there.ino && taken.dev === there.dev) return
  // Somebody else replaced it between the look and the rename: it is theirs.
  await link(old, path)
  throw inUse(path)
}

async function find(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true)).once('connect', () => socket.destroy())
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ECONNREFUSED' || cause.code === 'ENOENT') resolve(false)
      else if (cause.code === 'EAGAIN')
        resolve(true) // its queue is full: it lives
      else reject(new ControlError('path', `${path}: nobody can tell whether it is in use (${cause.code})`, { cause }))
    })
  })
}

function inUse(path: string, cause?: unknown): ControlError {
  return new ControlError('in-use', `${path}: another supervisor listens there; choose another path`, { cause })
}
