import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { findCommand } from './exec.mjs'
import { ELSEWHERE, SetupFailure } from './failure.mjs'

/** Where everything that outlives a checkout is kept. */
export function cacheRoot(env = process.env) {
  if (env.PYISOLATE_CACHE) return path.resolve(env.PYISOLATE_CACHE)
  return path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'pyisolate')
}

/** A folder to write to, made when it isn't there. `remedy` says what helps when it can't be. */
export function makeFolder(folder, remedy = 'PYISOLATE_CACHE names another place') {
  try {
    fs.mkdirSync(folder, { recursive: true })
    fs.accessSync(folder, fs.constants.W_OK)
  } catch (error) {
    const reason = error.code === 'ENOSPC' ? 'the disk is full' : error.message
    throw new SetupFailure('CACHE', `can't write to ${folder}: ${reason}; ${remedy}`)
  }
  return folder
}

export function requireSpace(folder, bytes, what, statfs = fs.statfsSync) {
  const { bavail, bsize } = statfs(folder)
  const available = bavail * bsize
  if (available >= bytes) return
  const mib = (n) => `${Math.floor(n / 2 ** 20)} MiB`
  throw new SetupFailure(
    'DISK',
    `${what} needs ${mib(bytes)} free in ${folder}, ${mib(available)} are available: make room; ${ELSEWHERE}`,
  )
}

/**
 * Holds a lock for this process's lifetime. flock(1) releases it when its standard input closes, which the
 * kernel does for us however this process ends: no stale lock files, no guessing by process id.
 */
export function lock(file, onWait) {
  const flock = findCommand('flock')
  if (!flock) throw new SetupFailure('PLATFORM', 'flock (util-linux) is missing')
  return new Promise((resolve, reject) => {
    const holder = spawn(flock, [file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const timer = setTimeout(() => onWait?.(), 500)
    holder.on('error', reject)
    holder.on('exit', () => {
      clearTimeout(timer)
      reject(new SetupFailure('CACHE', `can't lock ${file}`))
    })
    holder.stdout.once('data', () => {
      clearTimeout(timer)
      holder.unref()
      holder.stdin.unref()
      holder.stdout.unref()
      resolve(() => holder.stdin.end())
    })
  })
}

/** A file that appears whole or not at all. */
export function writeAtomically(file, text) {
  const temporary = `${file}.${process.pid}.tmp`
  fs.writeFileSync(temporary, text)
  fs.renameSync(temporary, file)
}

export function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return undefined // Absent or torn: the step that owns it runs again.
  }
}

export function hashOf(...parts) {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

/** One hash over the contents of files and folders; `skip` gets names, and prunes. */
export function hashTree(root, entries, skip = () => false) {
  const hash = createHash('sha256')
  const visit = (relative) => {
    const absolute = path.join(root, relative)
    const stat = fs.statSync(absolute, { throwIfNoEntry: false })
    if (!stat) return
    if (stat.isFile()) {
      hash.update(`${relative}\0${stat.size}\0`).update(fs.readFileSync(absolute))
      return
    }
    for (const name of fs.readdirSync(absolute).sort()) {
      if (!skip(name)) visit(path.join(relative, name))
    }
  }
  for (const entry of entries) visit(entry)
  return hash.digest('hex').slice(0, 16)
}
