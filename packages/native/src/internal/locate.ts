import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { EngineMissingError } from '@pyisolate/interface'

export const setupHint = 'build it with `npm start` in a checkout of PyIsolate'

/** Where the engine's parts are. */
export interface EngineFiles {
  readonly addon: string
  readonly executable: string
  readonly home: PythonHome
}

export interface PythonHome {
  readonly prefix: string
  readonly stdlib: string
}

/** The folder of this package, from `src/internal` as from `dist`. */
function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const up = dirname(folder)
    if (up === folder) throw new EngineMissingError(`@pyisolate/native is incomplete; ${setupHint}`)
    folder = up
  }
  return folder
}

function readHome(file: string): PythonHome {
  let home: unknown
  try {
    home = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new EngineMissingError(`the engine's Python home can't be read from ${file}; ${setupHint}`, { cause })
  }
  const { prefix, stdlib } = (home ?? {}) as Record<string, unknown>
  if (typeof prefix !== 'string' || typeof stdlib !== 'string') {
    throw new EngineMissingError(`${file} doesn't name a Python home (prefix, stdlib); ${setupHint}`)
  }
  // A package's own lie beside the file.
  return { prefix: resolve(dirname(file), prefix), stdlib: resolve(dirname(file), stdlib) }
}

/** What was built in a checkout, else what came with the package. */
function outputFolder(): string {
  const folder = packageFolder()
  const prebuilt = join(folder, 'prebuilt', `${process.platform}-${process.arch}`)
  const built = join(folder, 'build', 'Release')
  return existsSync(join(built, 'pyisolate-engine')) || !existsSync(prebuilt) ? built : prebuilt
}

/** The addon alone: what the caller names, else this package's own: `build/Release`, or `prebuilt` for this platform. @throws EngineMissingError */
export function locateAddon(named?: string): string {
  return named ?? join(outputFolder(), 'pyisolate_native.node')
}

/**
 * Finds the engine: what the caller names, else `PYISOLATE_ENGINE` and `PYISOLATE_PYTHON_HOME`, else this
 * package's own build. @throws EngineMissingError
 */
export function locateEngine(named: {
  addon?: string
  executable?: string
  pythonHome?: string | PythonHome
}): EngineFiles {
  const output = outputFolder()
  const executable = named.executable ?? (process.env.PYISOLATE_ENGINE || join(output, 'pyisolate-engine'))
  const home = named.pythonHome ?? (process.env.PYISOLATE_PYTHON_HOME || join(output, 'python-home.json'))
  try {
    accessSync(executable, constants.X_OK)
  } catch (cause) {
    throw new EngineMissingError(`there is no engine to run at ${executable}; ${setupHint}`, { cause })
  }
  return { addon: locateAddon(named.addon), executable, home: typeof home === 'string' ? readHome(home) : home }
}
