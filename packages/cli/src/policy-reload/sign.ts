import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { compilePolicy, PolicySourceError, resolveTemplate, signPolicy } from '@pyisolate/policy'
import { UsageError } from '../errors/usage-error.js'
import { ExitCode } from '../exit-code.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { readSecret } from './secret-file.js'

export interface SignOptions {
  readonly key: string | undefined
  readonly revision: string | undefined
  readonly out: string | undefined
}

/** `pyisolate policy sign`: what can't be used isn't signed. @throws UsageError, PolicyError */
export async function sign(file: string, options: SignOptions, terminal: Terminal): Promise<number> {
  const { key, out = `${file}.sig` } = options
  if (key === undefined) throw new UsageError('policy sign needs --key FILE; see pyisolate policy sign --help')
  const revision = readRevision(options.revision)
  const bytes = readBytes(file)
  const { name, digest } = compilePolicy(asText(file, bytes), { file, resolve: resolveTemplate })
  const line = `${signed(bytes, revision, readSecret(key, 'the key'), key)}\n`
  refuseOlder(out, revision, line)
  replace(out, line)
  await say(terminal.stdout, `${out}: revision ${revision} of ${name}, ${digest.slice(0, 16)}\n`)
  return ExitCode.ok
}

function readRevision(text: string | undefined): number {
  const revision = /^[1-9]\d{0,15}$/.test(text ?? '') ? Number(text) : 0
  if (Number.isSafeInteger(revision) && revision > 0) return revision
  throw new UsageError('policy sign needs --revision N, a whole number from 1 to 2^53 - 1')
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new UsageError(`${file} can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
}

function asText(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new UsageError(`${file} is no UTF-8`, { cause })
  }
}

function signed(bytes: Buffer, revision: number, key: string, keyFile: string): string {
  try {
    return signPolicy(bytes, revision, key)
  } catch (cause) {
    if (!PolicySourceError.isInstance(cause)) throw cause
    throw new UsageError(`${keyFile}: expected an Ed25519 private key in PEM, without a passphrase`, { cause })
  }
}

/** Subscribers refuse a revision that goes back, or stands for two documents. Ed25519 signs the same the same. */
function refuseOlder(out: string, revision: number, line: string): void {
  let there: string
  try {
    there = readFileSync(out, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new UsageError(`${out} can't be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
  const last = Number(/^v1 ([1-9]\d{0,15}) /.exec(there)?.[1] ?? Number.NaN)
  if (Number.isNaN(last)) throw new UsageError(`${out} is there and is no signature: choose another --out`)
  if (revision < last || (revision === last && there !== line))
    throw new UsageError(`${out} is of revision ${last} already: expected --revision ${last + 1} or above`)
}

function replace(out: string, line: string): void {
  const fresh = `${out}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(fresh, line, { flag: 'wx' })
    renameSync(fresh, out)
  } catch (cause) {
    rmSync(fresh, { force: true })
    throw new UsageError(`${out} can't be written (${(cause as NodeJS.ErrnoException).code})`, { cause })
  }
}
