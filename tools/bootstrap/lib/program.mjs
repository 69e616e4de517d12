import { spawn } from 'node:child_process'
import os from 'node:os'
import { cacheRoot } from './cache.mjs'
import { withPnpm } from './pnpm.mjs'

/** Runs a Node program on this terminal and resolves to its exit code; signals are passed on. */
export function runProgram(root, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...withPnpm(root, cacheRoot()), ...env },
    })
    const pass = (signal) => child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass)
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? 128 + (os.constants.signals[signal] ?? 0)))
  })
}
