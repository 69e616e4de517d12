// In the machine: what the scenarios share.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Denial, Sandbox, SpawnOptions, Supervisor } from '@pyisolate/core'
import { type CompiledPolicy, compilePolicy } from '@pyisolate/policy'

/** Two for all scenarios: a zygote takes seconds to start in an emulated machine. */
export interface Supervisors {
  /** With `bpfLsm()`. */
  readonly held: Supervisor
  readonly without: Supervisor
}

export type Scenarios = Readonly<Record<string, (supervisors: Supervisors) => Promise<unknown>>>

export const folder = mkdtempSync(join(tmpdir(), 'pyisolate-kernel-'))
export interface Told extends Pick<Denial, 'operation' | 'object' | 'errno' | 'generation'> {
  readonly line: number | null
}

const denials: Told[] = []
let count = 0

export function policy(sections: string): CompiledPolicy {
  return compilePolicy(`version: 1\nname: test\nextends: stdlib.readonly\n${sections}`, { file: 'test.yaml' })
}

/** With `attempt(call, *args)`: `ok`, or the name of the errno. */
export async function spawn(supervisor: Supervisor, options: SpawnOptions): Promise<Sandbox> {
  const sandbox = await supervisor.spawn(`sandbox-${++count}`, {
    ...options,
    onDenied: ({ operation, object, errno, rule, generation }) =>
      denials.push({ operation, object, errno, line: rule?.line ?? null, generation }),
  })
  await sandbox.exec(`
import errno, mmap, socket
def attempt(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'ok'
def run_code(path):
    with open(path, 'rb') as file:
        mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)
def plant(path):
    with open(path, 'wb') as file: file.write(b'\\xc3' * 4096)
def send(port, *sizes):
    with socket.create_connection(('127.0.0.1', port)) as peer:
        for size in sizes: peer.send(b'x' * size)`)
  return sandbox
}

export async function told(fits: (denial: Told) => boolean): Promise<Told | null> {
  for (let i = 0; i < 200; i++) {
    const found = denials.find(fits)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return null
}
