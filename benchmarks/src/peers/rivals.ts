import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Context } from '../context.js'
import type { Peer } from '../figure.js'
import { onPath, packageFolder } from '../internal/files.js'
import { type Answer, LineClient } from '../internal/line-client.js'

const require = createRequire(import.meta.url)
const BWRAP = 'bwrap is not on PATH: install the package bubblewrap'

/** Runs a fresh interpreter, by argv; the last argument is the program. */
export function freshPython(context: Context, program: string): string[] {
  return [context.interpreter.executable, '-I', '-S', '-c', program]
}

/** The same in namespaces of its own, with a read-only view of the system. */
export function inBubblewrap(argv: readonly string[]): string[] | undefined {
  const bwrap = onPath('bwrap')
  if (bwrap === undefined) return undefined
  return [
    bwrap,
    '--ro-bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--unshare-all',
    '--die-with-parent',
    ...argv,
  ]
}

/** A peer that is one line of the helper, or of a process of its own; that it fails is a result, too. */
export async function rival(name: string, measure: () => Promise<Peer>): Promise<Peer> {
  try {
    return await measure()
  } catch (error) {
    return { name, missing: error instanceof Error ? error.message.split('\n')[0]!.slice(0, 200) : String(error) }
  }
}

export const missingBubblewrap: Peer = { name: 'python -I -S under bubblewrap', missing: BWRAP }

export const IN_PROCESS = [
  { name: 'Pyodide', module: 'pyodide', script: 'pyodide-child.js' },
  { name: '@pydantic/monty', module: '@pydantic/monty', script: 'monty-child.js' },
] as const
export type InProcess = (typeof IN_PROCESS)[number]

/** Asks a rival in a fresh process of its own. @throws when it isn't installed, or can't do what it's asked */
export async function askRival({ name, module, script }: InProcess, ...request: unknown[]): Promise<Answer> {
  try {
    require.resolve(module)
  } catch {
    throw new Error(`${module} is not installed`)
  }
  using client = new LineClient(name, process.execPath, [join(packageFolder, 'dist', 'peers', script)])
  return await client.ask(JSON.stringify(request))
}
