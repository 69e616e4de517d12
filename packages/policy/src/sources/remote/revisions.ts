import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { PolicySourceError } from '../policy-source-error.js'
import type { Signed } from './signature.js'

/** The highest revision that was accepted; in a file, if there is one, so that a restart doesn't forget it. */
export class Revisions {
  #highest: Signed | undefined
  readonly #file: string | undefined

  constructor(
    private readonly from: string,
    file: string | undefined,
  ) {
    this.#file = file === undefined ? undefined : resolve(file)
  }

  get highest(): number | undefined {
    return this.#highest?.revision
  }

  /** @throws PolicySourceError `rollback`, or `state` if nobody can tell */
  async check({ revision, sha256 }: Signed): Promise<void> {
    const stored = await this.#read()
    if (stored !== undefined && stored.revision >= (this.#highest?.revision ?? 0)) this.#highest = stored
    const highest = this.#highest
    if (highest === undefined || revision > highest.revision) return
    if (revision < highest.revision)
      throw new PolicySourceError('rollback', this.from, `it serves revision ${revision}`, {
        expected: `${highest.revision}, the highest seen, or above`,
      })
    if (sha256 !== highest.sha256)
      throw new PolicySourceError('rollback', this.from, `it serves another document as revision ${revision}`, {
        expected: 'a revision to be the same bytes for ever',
      })
  }

  /** Written to the disk before it resolves. @throws PolicySourceError `state` */
  async remember(signed: Signed): Promise<void> {
    if (this.#file !== undefined && signed.revision !== this.#highest?.revision) await this.#write(this.#file, signed)
    this.#highest = signed
  }

  async #read(): Promise<Signed | undefined> {
    if (this.#file === undefined) return undefined
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw this.#broken("can't be read", cause)
    }
    const signed = parse(text)
    if (signed === undefined) throw this.#broken('is not what was written there')
    return signed
  }

  async #write(file: string, { revision, sha256 }: Signed): Promise<void> {
    const fresh = `${file}.${randomBytes(6).toString('hex')}`
    try {
      const handle = await open(fresh, 'wx', 0o600)
      try {
        await handle.writeFile(`${JSON.stringify({ revision, sha256 })}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(fresh, file)
      // The name is the folder's content, and has to reach the disk, too: fsync(2).
      const folder = await open(dirname(file), 'r')
      try {
        await folder.sync()
      } finally {
        await folder.close()
      }
    } catch (cause) {
      await rm(fresh, { force: true })
      throw this.#broken("can't be written", cause)
    }
  }

  #broken(what: string, cause?: unknown): PolicySourceError {
    return new PolicySourceError('state', this.from, `the state file ${this.#file} ${what}`, {
      expected: 'the highest accepted revision; restore it, or remove it and trust what is served now',
      cause,
    })
  }
}

function parse(text: string): Signed | undefined {
  try {
    const { revision, sha256 } = JSON.parse(text)
    const valid = Number.isSafeInteger(revision) && revision >= 1 && /^[0-9a-f]{64}$/.test(sha256)
    return valid ? { revision, sha256 } : undefined
  } catch {
    return undefined // the caller says so
  }
}
