import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run } from '@pyisolate/test-kit'
import type { Outcome, Sandbox } from '../../../src/index.js'
import type { Arena } from './host.js'
import { plainPython } from './python.js'

/** What an attack says of itself. */
export interface Report {
  readonly succeeded: boolean
  readonly detail: string
}

export interface Attempt {
  /** Missing when whatever ran the attack died of it. */
  readonly report: Report | undefined
  readonly end: string | undefined
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const read = (name: string): string => readFileSync(path(name), 'utf8')
const prelude = read('prelude.py')
const sourceOf = (file: string): string => read(`../attacks/${file}.py`)

/** Runs an attack in a plain interpreter, which keeps the secret in its memory, too. */
export async function attemptUnconfined(
  file: string,
  arena: Arena,
  secret: string,
  openFiles = 64,
): Promise<Attempt & { readonly touched: boolean; readonly posted: readonly unknown[] }> {
  // The victim stands for the supervisor, which would suffer for real.
  const task = {
    arena: { ...arena, supervisor: arena.victim, bold: 0 },
    secret,
    prelude,
    source: sourceOf(file),
    name: `${file}.py`,
  }
  // Fewer descriptors than the host would allow, as in a sandbox; a group of its own: some attack their group.
  const limited = `ulimit -S -n ${openFiles}; ulimit -c 0; exec "$0" -I "$1"`
  const { stdout, stderr, code, signal } = await run(
    'setsid',
    ['-w', '/bin/sh', '-c', limited, plainPython, path('plain.py')],
    { stdin: JSON.stringify(task), timeout: 60_000 },
  )
  const last = stdout.trim().split('\n').at(-1) ?? ''
  if (!last.startsWith('{'))
    return { report: undefined, end: `${signal ?? code} ${stderr.slice(-400)}`, touched: false, posted: [] }
  const { touched, posted, ...report } = JSON.parse(last)
  return { report, end: undefined, touched, posted }
}

/** Runs an attack in a sandbox. */
export async function attemptConfined(sandbox: Sandbox, file: string, arena: Arena): Promise<Attempt> {
  let over: Outcome | undefined
  void sandbox.closed.then((outcome) => (over = outcome))
  try {
    await sandbox.exec(prelude, { filename: 'prelude.py' })
    await sandbox.exec(sourceOf(file), { filename: `${file}.py` })
    const report = await sandbox.call<{ succeeded: boolean; detail: string }>('report', [arena])
    return { report, end: undefined }
  } catch (error) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!over) throw error
    return { report: undefined, end: `${over.kind}: ${over.message}` }
  }
}
