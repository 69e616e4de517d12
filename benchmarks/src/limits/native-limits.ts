import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { onPath, packageFolder } from '../internal/files.js'
import { LineClient } from '../internal/line-client.js'

/** Starts the helper of `native/limits.cc`, compiled when its source has changed. */
export function startNativeLimits(): LineClient {
  return new LineClient('the limits helper', buildNativeLimits(), [])
}

function buildNativeLimits(): string {
  const source = join(packageFolder, 'native', 'limits.cc')
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)
  const folder = join(packageFolder, 'build')
  const program = join(folder, `limits-${digest}`)
  if (existsSync(program)) return program
  const compiler = process.env.CXX || ['c++', 'g++', 'clang++'].find((name) => onPath(name) !== undefined)
  if (compiler === undefined) throw new Error('the limits are measured by a C++ program, and there is no compiler')
  mkdirSync(folder, { recursive: true })
  // Under another name first: an interrupted build leaves nothing that looks finished.
  const unfinished = `${program}.${process.pid}`
  execFileSync(compiler, ['-std=c++20', '-O2', '-o', unfinished, source, '-pthread', '-lcrypto'], { stdio: 'inherit' })
  renameSync(unfinished, program)
  return program
}
