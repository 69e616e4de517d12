import type { Stats } from 'node:fs'
import { chmod, link, lstat, mkdir, rm, stat } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname, resolve } from 'node:path'
import { ControlError } from './control-error.js'

/** unix(7): `sun_path` has 108 bytes, the last for a NUL. */
const longestPath = 107
/** A folder that was made to open or close a socket, and not removed for so long, is a dead process's; milliseconds. */
const oldest = 60_000

/**
 * Has a server listen on a Unix socket that nobody but its owner can open, at any moment: it is made in a folder of its
 * own, closed to others, and linked to its place when it is ready. What a dead supervisor left there is replaced; a
 * living one's is not. The folder's fixed name keeps two who start, or one who ends, out of each other's way.
 * @returns takes the socket away, if it is still this one
 * @throws ControlError
 */
export async function listenAt(server: Server, at: string): Promise<() => Promise<void>> {
  const path = resolve(at)
  await checkFolder(dirname(path))
  const long = Buffer.byteLength(freshPath(path)) - longestPath
  if (long > 0) throw new ControlError('path', `${path}: expected a path that is ${long} bytes shorter`)
  try {
    const made = await alone(path, async (fresh) => {
      await listen(server, fresh)
      await chmod(fresh, 0o600)
      await removeStale(path)
      await link(fresh, path)
      return lstat(path)
    })
    return () => takeAway(path, made)
  } catch (error) {
    server.close()
    if (ControlError.isInstance(error)) throw error
    throw cannot(path, error)
  }
}

function freshPath(path: string): string {
  return `${path}.lock/s`
}

/** Runs `action` while nobody else does it for the same path. @throws ControlError */
async function alone<T>(path: string, action: (fresh: string) => Promise<T>): Promise<T> {
  const folder = dirname(freshPath(path))
  const age = Date.now() - ((await find(folder))?.ctimeMs ?? Date.now())
  if (age > oldest) await rm(folder, { recursive: true, force: true })
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new ControlError('in-use', `${path}: another supervisor is just opening or closing it; try again`, { cause })
  }
  try {
    return await action(freshPath(path))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function takeAway(path: string, { dev, ino }: Stats): Promise<void> {
  try {
    await alone(path, async () => {
      const there = await find(path)
      if (there?.ino === ino && there.dev === dev) await rm(path, { force: true })
    })
  } catch (error) {
    // Whoever is opening it finds that nobody answers, and replaces it.
    if (!ControlError.isInstance(error)) throw cannot(path, error)
  }
}

/** Whoever can write to the folder can put a socket of their own in place of ours, and be sent our users' tokens. */
async function checkFolder(folder: string): Promise<void> {
  const stats = await stat(folder).catch((cause) => {
    throw new ControlError('path', `${folder}: expected a folder (${cause.code})`, { cause })
  })
  const others = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0
  const foreign = stats.uid !== 0 && stats.uid !== process.getuid!()
  if (stats.isDirectory() && !others && !foreign) return
  throw new ControlError('path', `${folder}: expected a folder of this user's that others can't write to (chmod go-w)`)
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function removeStale(path: string): Promise<void> {
  const there = await find(path)
  if (there === undefined) return
  if (!there.isSocket()) throw new ControlError('path', `${path}: expected nothing, or a socket, got another file`)
  if (await answers(path))
    throw new ControlError('in-use', `${path}: another supervisor listens there; choose another path`)
  await rm(path, { force: true })
}

async function find(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

/** Whether anybody listens there; an error that leaves it open is thrown. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ECONNREFUSED' || cause.code === 'ENOENT') resolve(false)
      else if (cause.code === 'EAGAIN')
        resolve(true) // its queue is full: it lives
      else reject(cause)
    })
  })
}

function cannot(path: string, cause: unknown): ControlError {
  const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
  return new ControlError('path', `${path}: the socket can't be made or removed there (${why})`, { cause })
}
