import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { SetupFailure } from './failure.mjs'

/** The output of a quick command, or undefined when it could not be started or failed. */
export function capture(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 64 << 20, ...options })
  return result.status === 0 ? result.stdout : undefined
}

/** Whether the command exists in PATH (or is a path to something executable). */
export function findCommand(command, env = process.env) {
  const folders = command.includes('/') ? [''] : (env.PATH ?? '').split(':').filter(Boolean)
  for (const folder of folders) {
    const file = path.join(folder, command)
    try {
      fs.accessSync(file, fs.constants.X_OK)
      if (fs.statSync(file).isFile()) return file
    } catch {
      // Not here: the next folder may have it.
    }
  }
  return undefined
}

/**
 * Runs a command with its whole output appended to `log`; each complete line is also handed to `onLine`.
 * Rejects with `failure(tail)` (the last lines joined) or a general line naming the command.
 */
export function run(command, args, { log, onLine, failure, ...options }) {
  return new Promise((resolve, reject) => {
    const file = fs.openSync(log, 'a')
    fs.writeSync(file, `\n$ ${[command, ...args].join(' ')}\n`)
    const tail = []
    let rest = ''
    const take = (chunk) => {
      fs.writeSync(file, chunk)
      const lines = (rest + chunk).split(/[\r\n]+/)
      rest = lines.pop() ?? ''
      for (const line of lines.filter((text) => text.trim())) {
        tail.push(line)
        if (tail.length > 40) tail.shift()
        onLine?.(line)
      }
    }
    const finish = (problem) => {
      fs.closeSync(file)
      if (!problem) return resolve()
      if (rest.trim()) tail.push(rest)
      const known = diagnose(tail)
      if (known) return reject(new SetupFailure(known.code, known.message, { log }))
      const mapped = failure?.(tail.join('\n'))
      reject(mapped ?? new SetupFailure('COMMAND', `${path.basename(command)} ${args[0] ?? ''} ${problem}`, { log }))
    }
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.on('error', (error) => finish(`could not be started: ${error.message}`))
    child.on('close', (code, signal) => finish(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`))
  })
}

/** Causes that any step can meet, told apart by what every tool prints about them. */
function diagnose(tail) {
  const text = tail.join('\n')
  if (/No space left on device|ENOSPC/.test(text)) {
    return { code: 'DISK', message: 'the disk is full' }
  }
  return undefined
}
