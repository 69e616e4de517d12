import type { KeyObject } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { CompiledPolicy } from '../../compile/compiled-policy.js'
import { PolicyError } from '../../errors/policy-error.js'
import { compilePolicy } from '../../load.js'
import { CheckedSource, milliseconds } from '../checked-source.js'
import type { PolicySource, SourceStatus } from '../policy-source.js'
import { PolicySourceError } from '../policy-source-error.js'
import { resolveTemplate } from '../resolve.js'
import { nextDelay } from './backoff.js'
import { type FetchedDocument, fetchDocument } from './fetch-document.js'
import { Revisions } from './revisions.js'
import { type PublicKey, readPublicKey, type Signed, verifyPolicy } from './signature.js'

export interface RemoteOptions {
  /** `https:` or `http:`; without a user or password in it (see `headers`). */
  readonly url: string | URL
  /** The publisher's. */
  readonly publicKey: PublicKey
  /** Between checks, in milliseconds; a tenth more or less. Default 60,000. After failures: 1 s, doubling up to 8 × this. */
  readonly interval?: number
  /** What the document's own `name` must be. Default: the first one's. Give it if the key signs more than one policy. */
  readonly name?: string
  /** Where the highest accepted revision is kept. Without it, a restart accepts whatever the publisher ever signed. */
  readonly stateFile?: string
  /** To be connected, in milliseconds. Default 5,000. */
  readonly connectTimeout?: number
  /** For a whole check, in milliseconds. Default 30,000. */
  readonly timeout?: number
  /** Sent along, `authorization` for one. */
  readonly headers?: Readonly<Record<string, string>>
  /** Certificate authorities in place of the system's; PEM. */
  readonly ca?: string | Uint8Array
  /** Closes the source. */
  readonly signal?: AbortSignal
}

export interface RemoteStatus extends SourceStatus {
  /** The highest accepted; the one in force. */
  readonly revision: number | undefined
  /** Checks in a row that failed. */
  readonly failures: number
}

/**
 * A signed policy from a URL. Whoever controls the server or the way there can keep a new policy from arriving, which
 * `lastChecked` and `error` show unless they lie well; they can neither change one, nor bring an old one back.
 * @throws PolicySourceError `option`; everything later is in `status()`
 */
export function remotePolicy(options: RemoteOptions): PolicySource<RemoteStatus> {
  const url = readUrl(options.url)
  return new RemotePolicy(url, readPublicKey(options.publicKey, url.href), options).start(options.signal)
}

class RemotePolicy extends CheckedSource<RemoteStatus> {
  readonly #interval: number
  readonly #connectTimeout: number
  readonly #timeout: number
  readonly #revisions: Revisions
  /** Of the document that is in force, never of one that was refused. */
  #tag: string | undefined
  #name: string | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0

  constructor(
    private readonly url: URL,
    private readonly publicKey: KeyObject,
    private readonly options: RemoteOptions,
  ) {
    const start = { state: 'starting', lastChecked: undefined, lastChanged: undefined, error: undefined } as const
    super({ from: url.href, ...start, revision: undefined, failures: 0 })
    this.#interval = milliseconds(url.href, 'interval', options.interval, 60_000)
    this.#connectTimeout = milliseconds(url.href, 'connectTimeout', options.connectTimeout, 5000)
    this.#timeout = milliseconds(url.href, 'timeout', options.timeout, 30_000)
    for (const [name, value] of Object.entries(options.headers ?? {})) checkHeader(url.href, name, value)
    this.#name = options.name
    this.#revisions = new Revisions(url.href, options.stateFile)
  }

  protected override async look(closing: AbortSignal): Promise<Partial<RemoteStatus>> {
    const end = new AbortController()
    const late = setTimeout(() => {
      end.abort(new PolicySourceError('timeout', this.url.href, `not done after ${this.#timeout} ms`))
    }, this.#timeout)
    try {
      const fetched = await fetchDocument(this.url, {
        headers: { 'user-agent': 'pyisolate-policy', ...this.options.headers },
        connectTimeout: this.#connectTimeout,
        ca: this.options.ca,
        tag: this.#tag,
        signal: AbortSignal.any([closing, end.signal]),
      })
      const news = fetched === undefined ? {} : await this.#accept(fetched, closing)
      this.#failures = 0
      return { state: 'current', error: undefined, failures: 0, ...news }
    } catch (error) {
      if (closing.aborted) return {}
      if (!PolicySourceError.isInstance(error)) throw error
      return { state: 'failing', error, failures: ++this.#failures }
    } finally {
      clearTimeout(late)
    }
  }

  protected override rest(closed: boolean): void {
    clearTimeout(this.#timer)
    if (!closed) this.#timer = setTimeout(() => void this.check(), nextDelay(this.#interval, this.#failures))
  }

  /** In this order: nothing is compiled that isn't the publisher's, and nothing published that a restart would forget. */
  async #accept(fetched: FetchedDocument, closing: AbortSignal): Promise<Partial<RemoteStatus>> {
    const signed = verifyPolicy(fetched.bytes, fetched.signature, this.publicKey, this.url.href)
    await this.#revisions.check(signed)
    const policy = this.#compile(fetched.bytes)
    // The first one's name, if none was asked for: a key may sign several policies, and one must not stand for another.
    this.#name ??= policy.name
    const name = this.#name
    if (policy.name !== name)
      throw new PolicySourceError('name', this.url.href, `it serves the policy ${JSON.stringify(policy.name)}`, {
        expected: JSON.stringify(name),
      })
    await this.#revisions.remember(signed)
    if (closing.aborted) return {}
    this.#tag = fetched.tag
    return this.#publish(policy, signed)
  }

  #publish(policy: CompiledPolicy, { revision }: Signed): Partial<RemoteStatus> {
    if (this.status().revision === revision) return {}
    this.feed.publish({ name: policy.name, policy, version: `${revision}`, from: this.url.href })
    return { revision, lastChanged: new Date() }
  }

  #compile(bytes: Buffer): CompiledPolicy {
    const file = this.url.href
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      return compilePolicy(text, { file, resolve: resolveTemplate })
    } catch (cause) {
      if (!PolicyError.isInstance(cause) && !(cause instanceof TypeError)) throw cause
      const what = PolicyError.isInstance(cause) ? cause.message : 'it is no UTF-8'
      throw new PolicySourceError('parse', file, `the signed document is no policy: ${what}`, { cause })
    }
  }
}

function checkHeader(from: string, name: string, value: string): void {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch (cause) {
    const expected = 'a name and a value that HTTP can carry'
    throw new PolicySourceError('option', from, `options.headers[${JSON.stringify(name)}]`, { expected, cause })
  }
}

function readUrl(url: string | URL): URL {
  const read = URL.canParse(String(url)) ? new URL(url) : undefined
  const plain = read !== undefined && read.username === '' && read.password === ''
  if (plain && (read.protocol === 'https:' || read.protocol === 'http:')) return read
  // Not quoted: it may hold a password.
  throw new PolicySourceError('option', 'options.url', "this URL can't be used", {
    expected: 'http: or https:, with no user and password in it (give headers.authorization)',
  })
}
