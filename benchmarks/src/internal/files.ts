import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this package, from `src` as from `dist`. */
export const packageFolder = dirname(dirname(fileURLToPath(import.meta.url))).replace(/\/src$/, '')

const nativeOutput = join(
  dirname(fileURLToPath(import.meta.resolve('@pyisolate/native/package.json'))),
  'build',
  'Release',
)

export interface Interpreter {
  readonly version: string
  readonly executable: string
}

/** The interpreter that the engine was linked with, as a program of its own. */
export function findInterpreter(): Interpreter {
  const home = process.env.PYISOLATE_PYTHON_HOME || join(nativeOutput, 'python-home.json')
  const { prefix, version } = JSON.parse(readFileSync(home, 'utf8')) as { prefix: string; version: string }
  const executable = ['python3.13t', 'python3.13', 'python3']
    .map((name) => join(prefix, 'bin', name))
    .find((file) => existsSync(file))
  if (executable === undefined) throw new Error(`there is no interpreter in ${prefix}/bin: run npm start`)
  return { version, executable }
}

/** The engine without confinement: the build's own, for measuring what confinement costs. */
export function findUnconfinedEngine(): string | undefined {
  const file = join(nativeOutput, 'pyisolate-engine-unconfined')
  return existsSync(file) ? file : undefined
}

export function onPath(command: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(':').filter(Boolean)) {
    const file = join(folder, command)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // The next folder may have it.
    }
  }
  return undefined
}
