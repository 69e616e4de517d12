// Generated policies on a tree of files that is there, and operations on it, for `pyisolate-try-landlock`.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type CompiledPolicy,
  compilePolicy,
  type LandlockTarget,
  type Operation,
  PolicyError,
  type Section,
} from '@pyisolate/policy'
import type { Random } from '../../../policy/test/random.js'

/** One that the program makes, what it is in a policy's words, and the rules that Landlock could let it pass by. */
export interface Trial {
  readonly line: string
  readonly operation: Operation
  readonly by: readonly Section[]
  /** The first ABI that has a say on it. */
  readonly ruledFrom: number
}

const pick = <T>(random: Random, all: readonly T[]): T => all[random(all.length)]!

/** Few names, so that rules overlap. */
const names = ['a', 'b', 'ab']
const ports = [0, 20_181, 20_182, 20_185, 20_190]
const portWords = ['*', '20181', '20181-20185', '20185-65535']
const networks4 = ['0.0.0.0/0', '0.0.0.0/0', '127.0.0.0/8', '10.0.0.0/8']
const networks6 = ['[::]/0', '[::]/0', '[::1]']

export interface Tree {
  readonly folders: readonly string[]
  /** A file in each folder, which may be run and holds no program. */
  readonly files: readonly string[]
}

export function layOut(root: string): Tree {
  const below = (above: readonly string[]) => above.flatMap((folder) => names.map((name) => join(folder, name)))
  const folders = [root, ...below([root]), ...below(below([root]))]
  const files = folders.map((folder) => join(folder, 'f'))
  for (const folder of folders) mkdirSync(folder, { recursive: true })
  for (const file of files) {
    writeFileSync(file, 'text')
    chmodSync(file, 0o755)
  }
  return { folders, files }
}

export function somePolicy(random: Random, { folders, files }: Tree): CompiledPolicy {
  const list = (most: number, make: () => readonly string[]) =>
    JSON.stringify(Array.from({ length: random(most + 1) }, make).flat())
  const path = () => [
    pick(random, [
      () => `${pick(random, folders)}/**`,
      () => `${pick(random, folders)}/**`,
      () => pick(random, folders),
      () => pick(random, files),
      () => `${pick(random, folders)}/n`,
    ])(),
  ]
  // Both families at once: less is no rule that Landlock could hold.
  const target = () => {
    const port = pick(random, portWords)
    const four = `tcp://${pick(random, networks4)}:${port}`
    const six = `tcp://${pick(random, networks6)}:${port}`
    return pick(random, [[four, six], [four, six], [four], [six]])
  }
  for (;;)
    try {
      return compilePolicy(
        `version: 1
fs: { read: ${list(4, path)}, write: ${list(4, path)}, exec: ${list(3, path)}, deny: ${list(2, path)} }
net: { connect: ${list(2, target)}, bind: ${list(2, target)}, deny: ${list(1, target)} }`,
      )
    } catch (error) {
      // Rules that contradict each other.
      if (!PolicyError.isInstance(error)) throw error
    }
}

/** Truncation came with ABI 3, TCP with ABI 4 (landlock(7)). */
export function everyTrial({ folders, files }: Tree): readonly Trial[] {
  const on = (what: string, kind: 'read' | 'write' | 'exec', path: string, by: readonly Section[], ruledFrom = 1) => ({
    line: `try\t${what}\t${path}`,
    operation: { kind, path },
    by,
    ruledFrom,
  })
  const changed = (what: string, name: string) =>
    folders.map((folder) => on(what, 'write', join(folder, name), ['fs.write']))
  const reached = (kind: 'connect' | 'bind', port: number): readonly Trial[] =>
    (['4', '6'] as const).map((family) => ({
      line: `try\t${kind}\t${family}\t${port}`,
      operation: { kind, protocol: 'tcp', address: family === '4' ? '127.0.0.1' : '::1', port },
      by: [`net.${kind}`],
      ruledFrom: 4,
    }))
  return [
    // The kernel opens what it executes for reading, too.
    ...files.map((file) => on('read', 'read', file, ['fs.read', 'fs.exec'])),
    ...folders.map((folder) => on('list', 'read', folder, ['fs.read'])),
    ...files.map((file) => on('write', 'write', file, ['fs.write'])),
    ...files.map((file) => on('truncate', 'write', file, ['fs.write'], 3)),
    ...files.map((file) => on('execute', 'exec', file, ['fs.exec'])),
    ...['create', 'mkdir', 'symlink'].flatMap((what) => changed(what, 'n')),
    ...['unlink', 'rmdir', 'rename'].flatMap((what) => changed(what, 'm')),
    ...ports.flatMap((port) => [...reached('bind', port), ...(port > 0 ? reached('connect', port) : [])]),
  ]
}

/** What the program reads of a ruleset. Of ports, which the kernel has one by one, those that are tried. */
export function rulesetLines({ rules, ports: granted }: LandlockTarget): readonly string[] {
  const files = rules.map(({ access, path }) => `fs\t${access.join(',')}\t${path}`)
  const tried = granted.flatMap(({ access, from, to }) =>
    ports.filter((port) => from <= port && port <= to).map((port) => `net\t${access}\t${port}\t${port}`),
  )
  return [...files, ...tried]
}

const program = fileURLToPath(new URL('../../../native/build/Release/pyisolate-try-landlock', import.meta.url))

/** The kernel's ABI, -1 without Landlock, and the errno of each operation, 0 where it was done. */
export function tryLandlock(lines: readonly string[]): { readonly abi: number; readonly errnos: readonly number[] } {
  const text = execFileSync(program, { input: lines.map((line) => `${line}\n`).join(''), encoding: 'utf8' })
  const [abi = -1, ...errnos] = text.trim().split('\n').map(Number)
  return { abi, errnos }
}
