import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { PolicySource, PolicyUpdate, SourceStatus } from '../src/index.js'

/** Longer than anything here takes, even if the machine does much else beside it. */
const patience = 10_000

/** What comes, or an error that says what did not. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${patience} ms`)), patience)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** A folder that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'pyisolate-sources-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Closes a source after the test. */
export function closing<T extends AsyncDisposable>(source: T): T {
  onTestFinished(async () => source[Symbol.asyncDispose]())
  return source
}

/** Reads a source's updates one by one. */
export function reader(source: PolicySource): () => Promise<PolicyUpdate> {
  const updates = source[Symbol.asyncIterator]()
  return async () => {
    const { done, value } = await within(updates.next(), 'an update')
    if (done) throw new Error('the source has ended')
    return value
  }
}

/** The first status, from now on, of which `fits` is true. */
export function statusOf<S extends SourceStatus>(source: PolicySource<S>, fits: (status: S) => boolean): Promise<S> {
  const found = new Promise<S>((resolve) => {
    if (fits(source.status())) return resolve(source.status())
    const stop = source.onStatus((status) => {
      if (!fits(status)) return
      stop()
      resolve(status)
    })
  })
  return within(found, 'a status').catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(source.status())}`)
  })
}

export function policyText(name: string, memory = '64MiB'): string {
  return `version: 1\nname: ${name}\nlimits:\n  memory: ${memory}\n`
}
