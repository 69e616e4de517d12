import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { OptionError } from '../../errors/option-error.js'
import { type Check, checkOptions, displayName, expected, integer, oneOf, orElse } from '../options/check.js'
import { fitsPattern } from './name-pattern.js'
import { TokenError, type TokenProblem } from './token-error.js'

/** So that a token that was left in a log or a repository can be found there. */
const prefix = 'pyi_reload_'
/** Living at a time, and names or patterns in one scope. */
const mostTokens = 1000
const mostPatterns = 100
/** No token is meant for ever: a year, in milliseconds. */
const longestLife = 365 * 24 * 3600e3

export type TokenAction = 'reload' | 'status'

export interface MintOptions {
  /** Names or patterns (`*`, `?`) of the sandboxes it is for; `'all'`, the default: whichever there are. */
  readonly sandboxes?: 'all' | readonly string[]
  /** Default: both. */
  readonly actions?: readonly TokenAction[]
  /** Milliseconds from now, at most a year. */
  readonly expiresIn: number
  /** Whether its first reload is its last. Default false. */
  readonly singleUse?: boolean
  /** Shown in the log. */
  readonly label?: string
}

export interface MintedToken {
  /** The secret: 256 random bits. Nothing else has it; it can't be shown again. */
  readonly token: string
  /** Names it in the log, and for `revoke`; no secret. */
  readonly id: string
  /** The first moment it is no longer good. */
  readonly expires: Date
}

/** What a token was used for; without `sandboxes`: for all of them. */
export interface TokenRequest {
  readonly action: TokenAction
  readonly sandboxes?: readonly string[] | undefined
}

/** One use, or an attempt; `id` and `label` are there when the token is known. */
export interface TokenUse extends TokenRequest {
  readonly outcome: 'accepted' | TokenProblem
  readonly id: string | undefined
  readonly label: string | undefined
  readonly at: Date
}

/** What an accepted token is for. */
export interface TokenGrant {
  readonly id: string
  readonly label: string | undefined
  readonly sandboxes: 'all' | readonly string[]
}

export interface TokensOptions {
  /** Called before a use takes effect; if it throws, the use is refused. */
  readonly onUse: (use: TokenUse) => void
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number
}

interface Minted extends TokenGrant {
  readonly digest: Buffer
  readonly actions: readonly TokenAction[]
  readonly expires: number
  readonly singleUse: boolean
  used: boolean
}

/** The tokens of one supervisor. Only their digests are kept. */
export class ReloadTokens {
  readonly #minted = new Map<string, Minted>()
  readonly #onUse: (use: TokenUse) => void
  readonly #now: () => number

  constructor({ onUse, now = Date.now }: TokensOptions) {
    this.#onUse = onUse
    this.#now = now
  }

  /** @throws OptionError */
  mint(options: MintOptions): MintedToken {
    const checked = checkOptions(options, 'options', mintChecks)
    this.#forgetDead()
    if (this.#minted.size >= mostTokens)
      throw new OptionError('options', `there are ${mostTokens} living tokens: revoke some, or let them expire earlier`)
    const token = `${prefix}${randomBytes(32).toString('base64url')}`
    const id = randomBytes(8).toString('hex')
    const { label, sandboxes, actions, singleUse } = checked
    const expires = this.#now() + checked.expiresIn
    const digest = digestOf(token)
    this.#minted.set(id, { id, label, sandboxes, actions, singleUse, expires, digest, used: false })
    return { token, id, expires: new Date(expires) }
  }

  /** @returns whether there was such a token */
  revoke(id: string): boolean {
    return this.#minted.delete(id)
  }

  /**
   * Whether a token is good for anything at all: who has none needs no further hearing. Only a refusal is logged; who
   * goes on calls `use`.
   * @throws TokenError
   */
  recognise(token: string, request: TokenRequest): void {
    const [found, problem] = this.#find(token)
    if (problem !== undefined) this.#log(request, problem, found)
  }

  /** Uses a token; one that is good for one reload is used up, whatever becomes of the reload. @throws TokenError */
  use(token: string, request: TokenRequest): TokenGrant {
    const [found, problem] = this.#find(token)
    if (found === undefined || problem !== undefined) return this.#log(request, problem ?? 'unknown', found)
    if (!covers(found, request)) return this.#log(request, 'out-of-scope', found)
    if (found.singleUse && request.action === 'reload') found.used = true
    const { id, label, sandboxes } = found
    this.#onUse({ ...request, outcome: 'accepted', id, label, at: new Date(this.#now()) })
    return { id, label, sandboxes }
  }

  /** Every digest is compared, in constant time, so that the time tells how many there are and nothing of any. */
  #find(token: string): [Minted | undefined, TokenProblem | undefined] {
    const digest = digestOf(token)
    let found: Minted | undefined
    for (const minted of this.#minted.values()) if (timingSafeEqual(minted.digest, digest)) found = minted
    if (found === undefined) return [found, 'unknown']
    if (this.#now() >= found.expires) return [found, 'expired']
    return [found, found.used ? 'used' : undefined]
  }

  #log(request: TokenRequest, outcome: TokenProblem, found: Minted | undefined): never {
    const { id, label } = found ?? {}
    this.#onUse({ ...request, outcome, id, label, at: new Date(this.#now()) })
    throw new TokenError(outcome)
  }

  /** They are kept until there are many, so that whoever comes with one learns why it is no good. */
  #forgetDead(): void {
    if (this.#minted.size < mostTokens) return
    const now = this.#now()
    for (const [id, { expires, used }] of this.#minted) if (used || now >= expires) this.#minted.delete(id)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function covers({ actions, sandboxes }: Minted, request: TokenRequest): boolean {
  if (!actions.includes(request.action)) return false
  if (sandboxes === 'all' || request.action === 'status') return true
  // For all of them: which these are isn't known here, so only what fits any name covers them.
  if (request.sandboxes === undefined) return sandboxes.includes('*')
  return request.sandboxes.every((name) => sandboxes.some((pattern) => fitsPattern(name, pattern)))
}

function list<T>(item: Check<T>, what: string): Check<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > mostPatterns)
      return expected(at, `an array of 1 to ${mostPatterns} ${what}`, value)
    return Object.freeze(value.map((one, index) => item(one, `${at}[${index}]`)))
  }
}

const names = list(displayName, "sandboxes' names or patterns")
const flag: Check<boolean> = (value, at) => (typeof value === 'boolean' ? value : expected(at, 'true or false', value))

const mintChecks = {
  sandboxes: orElse<'all' | readonly string[], 'all'>(
    (value, at) => (value === 'all' ? value : names(value, at)),
    'all',
  ),
  actions: orElse(list(oneOf<'reload' | 'status'>('reload', 'status'), 'actions'), ['reload', 'status'] as const),
  expiresIn: integer(1, longestLife),
  singleUse: orElse(flag, false),
  label: orElse(displayName, undefined),
}
