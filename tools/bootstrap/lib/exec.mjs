import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { ELSEWHERE, explained, SetupFailure } from './failure.mjs'

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
 * Rejects with `failure(tail)` (the last lines joined) or a general line naming the command. A log that can't be
 * written any more ends the command: without it nobody could say what failed.
 */
export function run(command, args, { log, onLine, failure, ...options }) {
  const name = path.basename(command)
  return new Promise((resolve, reject) => {
    const file = fs.openSync(log, 'a')
    const tail = []
    // What either stream has begun a line with: half of one must not be glued to the other's.
    const rests = ['', '']
    let unwritten
    const write = (text) => {
      try {
        fs.writeSync(file, text)
      } catch (error) {
        unwritten ??= error
        child?.kill()
      }
    }
    const take = (stream) => (chunk) => {
      write(chunk)
      const lines = (rests[stream] + chunk).split(/[\r\n]+/)
      rests[stream] = lines.pop() ?? ''
      for (const line of lines.filter((text) => text.trim())) {
        tail.push(line)
        if (tail.length > 40) tail.shift()
        onLine?.(line)
      }
    }
    const explain = (problem) => {
      tail.push(...rests.filter((text) => text.trim()))
      const known = diagnose(tail)
      if (known) return new SetupFailure(known.code, known.message, { log })
      return failure?.(tail.join('\n')) ?? new SetupFailure('COMMAND', `${name} ${args[0] ?? ''} ${problem}`, { log })
    }
    let finished = false
    const finish = (problem) => {
      // A command that can't be started may be reported twice, by `error` and by `close`.
      if (finished) return
      finished = true
      fs.closeSync(file)
      if (unwritten) return reject(explained(unwritten, { log }))
      if (!problem) return resolve()
      reject(problem instanceof SetupFailure ? problem : explain(problem))
    }
    let child
    write(`\n$ ${[command, ...args].join(' ')}\n`)
    if (unwritten) return finish()
    child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    child.stdout.setEncoding('utf8').on('data', take(0))
    child.stderr.setEncoding('utf8').on('data', take(1))
    child.on('error', (error) => finish(unstartable(name, error, log)))
    child.on('close', (code, signal) => finish(code === 0 ? undefined : `ended with ${signal ?? `code ${code}`}`))
  })
}

function unstartable(name, error, log) {
  const why = error.code === 'ENOENT' ? `${name} is not in PATH` : `${name} could not be started: ${error.message}`
  return new SetupFailure('COMMAND', why, { log })
}

/** Causes that any step can meet, told apart by what every tool prints about them. */
function diagnose(tail) {
  const text = tail.join('\n')
  if (/No space left on device|ENOSPC/.test(text)) {
    return { code: 'DISK', message: `the disk is full (ENOSPC): make room; ${ELSEWHERE}` }
  }
  return undefined
}
