import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compilePolicy } from '@pyisolate/policy'
import { onTestFinished } from 'vitest'
import type { CompiledPolicy, Denial, Sandbox, SpawnOptions, Supervisor } from '../../src/index.js'

export type Where = 'process' | 'interpreter'
export const everywhere: readonly Where[] = ['process', 'interpreter']

/** A folder of the test's own. */
export function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'pyisolate-policy-')))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

/** A policy of these sections, in the standard library's company. */
export function policy(sections: string): CompiledPolicy {
  return compilePolicy(`version: 1\nname: test\nextends: stdlib.readonly\n${sections}`, { file: 'test.yaml' })
}

export interface Ruled {
  readonly sandbox: Sandbox
  readonly denials: Denial[]
  /** What the code says of an expression: its value, or the exception's type and errno. */
  attempt(expression: string): Promise<string>
  /** The next denial that fits, those that came already included. */
  denied(fits: (denial: Denial) => boolean): Promise<Denial>
}

const prelude = `
import errno, os, socket
def attempt(source):
    try:
        return repr(eval(source))
    except OSError as error:
        return f"{type(error).__name__} {errno.errorcode.get(error.errno, error.errno)}"
    except Exception as error:
        return f"{type(error).__name__} {error}"
def read(path):
    with open(path) as file:
        return file.read()
def write(path, text="x", mode="w"):
    with open(path, mode) as file:
        return file.write(text)
`

let count = 0

export async function ruled(supervisor: Supervisor, options: SpawnOptions): Promise<Ruled> {
  const name = `ruled-${++count}`
  const denials: Denial[] = []
  const waiting = new Set<() => void>()
  const own = options.isolation === 'interpreter' ? { cell: name } : {}
  const sandbox = await supervisor.spawn(name, {
    ...own,
    onDenied: (denial) => {
      denials.push(denial)
      for (const look of waiting) look()
    },
    ...options,
  })
  onTestFinished(async () => {
    await sandbox.close()
  })
  await sandbox.exec(prelude)
  const denied = (fits: (denial: Denial) => boolean): Promise<Denial> =>
    new Promise((resolve, reject) => {
      const give = setTimeout(() => reject(new Error(`no such denial among ${JSON.stringify(denials)}`)), 5000)
      const look = (): void => {
        const found = denials.find(fits)
        if (found === undefined) return
        clearTimeout(give)
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })
  return { sandbox, denials, denied, attempt: (expression) => sandbox.call<string>('attempt', [expression]) }
}
