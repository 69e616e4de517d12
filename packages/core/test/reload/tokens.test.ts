import { describe, expect, it } from 'vitest'
import { fitsPattern } from '../../src/internal/reload/name-pattern.js'
import { TokenError } from '../../src/internal/reload/token-error.js'
import { type MintOptions, ReloadTokens, type TokenUse } from '../../src/internal/reload/tokens.js'

const hour = 3600e3

function tokens() {
  const clock = { now: Date.UTC(2030, 0, 1) }
  const log: TokenUse[] = []
  const all = new ReloadTokens({ onUse: (use) => log.push(use), now: () => clock.now })
  const outcome = (token: string, sandboxes?: string[]): string => {
    try {
      all.use(token, { action: 'reload', sandboxes })
      return 'accepted'
    } catch (error) {
      expect(error).toBeInstanceOf(TokenError)
      expect((error as TokenError).code).toBe('ERR_PYISOLATE_TOKEN')
      return (error as TokenError).problem
    }
  }
  return { all, clock, log, outcome }
}

describe('a token', () => {
  it('is 256 random bits, another one each time, and is kept nowhere', () => {
    const { all } = tokens()
    const minted = Array.from({ length: 100 }, () => all.mint({ expiresIn: hour }).token)
    expect(new Set(minted).size).toBe(100)
    for (const token of minted) {
      expect(token).toMatch(/^pyi_reload_[\w-]{43}$/)
      expect(Buffer.from(token.slice('pyi_reload_'.length), 'base64url')).toHaveLength(32)
    }
  })

  it('is accepted until the moment it expires', () => {
    const { all, clock, outcome } = tokens()
    const { token, expires } = all.mint({ expiresIn: 1000 })
    expect(expires.getTime()).toBe(clock.now + 1000)
    clock.now += 999
    expect(outcome(token)).toBe('accepted')
    clock.now += 1
    expect(outcome(token)).toBe('expired')
    clock.now += 10 * hour
    expect(outcome(token)).toBe('expired')
  })

  it('is accepted once, if it is good for one use, and by nobody else after it expired', () => {
    const { all, clock, outcome } = tokens()
    const { token } = all.mint({ expiresIn: hour, singleUse: true, sandboxes: ['a'] })
    // What is refused doesn't use it up, nor does looking.
    expect(outcome(token, ['b'])).toBe('out-of-scope')
    expect(all.use(token, { action: 'status' }).sandboxes).toEqual(['a'])
    all.recognise(token, { action: 'reload' })
    expect(outcome(token, ['a'])).toBe('accepted')
    expect(outcome(token, ['a'])).toBe('used')
    expect(() => all.recognise(token, { action: 'reload' })).toThrow(TokenError)
    clock.now += hour
    expect(outcome(token, ['a'])).toBe('expired')
  })

  it('is unknown if it was guessed, changed, cut, extended, or revoked', () => {
    const { all, outcome } = tokens()
    const { token, id } = all.mint({ expiresIn: hour })
    const guesses = [
      '',
      'pyi_reload_',
      id,
      token.slice(0, -1),
      `${token}A`,
      `${token}\0`,
      ` ${token}`,
      token.toUpperCase(),
      token.slice('pyi_reload_'.length),
      `${token.slice(0, 20)}${token[20] === 'A' ? 'B' : 'A'}${token.slice(21)}`,
      'x'.repeat(100_000),
    ]
    for (const guess of guesses) expect(outcome(guess)).toBe('unknown')
    expect(outcome(token)).toBe('accepted')
    expect([all.revoke(id), all.revoke(id), all.revoke(token)]).toEqual([true, false, false])
    expect(outcome(token)).toBe('unknown')
  })

  it.each<[string, MintOptions['sandboxes'], string[] | undefined, string]>([
    ['all, for all', 'all', undefined, 'accepted'],
    ['all by default', undefined, undefined, 'accepted'],
    ['all, for one', 'all', ['x'], 'accepted'],
    ['a name', ['web'], ['web'], 'accepted'],
    ['another name', ['web'], ['web2'], 'out-of-scope'],
    ['a name, for all', ['web'], undefined, 'out-of-scope'],
    ['a pattern', ['web-*'], ['web-1', 'web-'], 'accepted'],
    ['a pattern, for one beside it', ['web-*'], ['web-1', 'db-1'], 'out-of-scope'],
    ['a pattern, for all', ['web-*'], undefined, 'out-of-scope'],
    ['a star, for all', ['*'], undefined, 'accepted'],
    ['two patterns that together are all, for all', ['a*', '?*'], undefined, 'out-of-scope'],
    ['two patterns', ['a*', 'b?'], ['abc', 'b1'], 'accepted'],
    ['a question mark', ['b?'], ['b'], 'out-of-scope'],
    ['no regular expression', ['.*'], ['web'], 'out-of-scope'],
    ['no substring', ['web'], ['my-web-1'], 'out-of-scope'],
    ['a name that is a pattern', ['web'], ['*'], 'out-of-scope'],
    ['case', ['web'], ['WEB'], 'out-of-scope'],
  ])('has a scope: %s', (_, sandboxes, asked, expected) => {
    const { all, outcome } = tokens()
    const { token } = all.mint({ expiresIn: hour, ...(sandboxes !== undefined && { sandboxes }) })
    expect(outcome(token, asked)).toBe(expected)
  })

  it('is for its actions alone', () => {
    const { all, outcome } = tokens()
    const { token } = all.mint({ expiresIn: hour, actions: ['status'] })
    expect(outcome(token)).toBe('out-of-scope')
    expect(all.use(token, { action: 'status' })).toMatchObject({ sandboxes: 'all' })
    const reload = all.mint({ expiresIn: hour, actions: ['reload'] })
    expect(() => all.use(reload.token, { action: 'status' })).toThrow(
      expect.objectContaining({ problem: 'out-of-scope' }),
    )
  })

  it('is logged with each use, and never itself', () => {
    const { all, clock, log, outcome } = tokens()
    const { token, id } = all.mint({ expiresIn: hour, singleUse: true, sandboxes: ['a'], label: 'deploy' })
    for (const [given, sandboxes] of [
      [token, ['b']],
      [token, ['a']],
      [token, ['a']],
      ['guess', undefined],
    ] as const)
      outcome(given, sandboxes && [...sandboxes])
    const known = { action: 'reload', id, label: 'deploy', at: new Date(clock.now) }
    expect(log).toEqual([
      { ...known, sandboxes: ['b'], outcome: 'out-of-scope' },
      { ...known, sandboxes: ['a'], outcome: 'accepted' },
      { ...known, sandboxes: ['a'], outcome: 'used' },
      { ...known, sandboxes: undefined, outcome: 'unknown', id: undefined, label: undefined },
    ])
    expect(JSON.stringify([log, all, new TokenError('used')])).not.toContain(token.slice(-20))
  })

  it('is refused when its use can’t be logged', () => {
    const all = new ReloadTokens({
      onUse: () => {
        throw new Error('the disk is full')
      },
    })
    const { token } = all.mint({ expiresIn: hour, singleUse: true })
    for (let turn = 0; turn < 2; turn++) expect(() => all.use(token, { action: 'reload' })).toThrow('the disk is full')
  })

  it('makes room for others when it is dead, not before', () => {
    const { all, clock, outcome } = tokens()
    const first = all.mint({ expiresIn: 1 })
    const last = Array.from({ length: 999 }, () => all.mint({ expiresIn: hour })).at(-1)!
    clock.now += 1
    expect(outcome(first.token)).toBe('expired')
    all.mint({ expiresIn: hour })
    expect(outcome(first.token)).toBe('unknown')
    expect(() => all.mint({ expiresIn: hour })).toThrow(expect.objectContaining({ code: 'ERR_PYISOLATE_OPTION' }))
    expect(outcome(last.token)).toBe('accepted')
  })

  it.each<[string, object]>([
    ['no time', {}],
    ['no time at all', { expiresIn: 0 }],
    ['for ever', { expiresIn: Number.POSITIVE_INFINITY }],
    ['two years', { expiresIn: 2 * 365 * 24 * hour }],
    ['an empty scope', { expiresIn: 1, sandboxes: [] }],
    ['one name as text', { expiresIn: 1, sandboxes: 'web' }],
    ['a name with a control character', { expiresIn: 1, sandboxes: ['a\n'] }],
    ['an unknown action', { expiresIn: 1, actions: ['spawn'] }],
    ['no action', { expiresIn: 1, actions: [] }],
    ['once, as text', { expiresIn: 1, singleUse: 'yes' }],
    ['an unknown option', { expiresIn: 1, sandbox: ['a'] }],
  ])('is not minted for %s', (_, options) => {
    expect(() => tokens().all.mint(options as MintOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_PYISOLATE_OPTION' }),
    )
  })
})

describe('a pattern', () => {
  it.each<[string, string, boolean]>([
    ['', '', true],
    ['', '*', true],
    ['', '?', false],
    ['abc', 'a*c', true],
    ['abcbc', 'a*bc', true],
    ['abcb', 'a*bc', false],
    ['aXbYc', 'a*b*c', true],
    ['abc', '***', true],
    ['abc', '??', false],
    ['abc', '???*', true],
    ['a.c', 'a.c', true],
    ['abc', 'a.c', false],
    ['[a]', '[a]', true],
    ['😀', '?', true],
    ['*', '*', true],
    ['constructor', '__proto__', false],
  ])('%j fits %j: %j', (name, pattern, fits) => {
    expect(fitsPattern(name, pattern)).toBe(fits)
  })

  it('costs its author no more than its length', () => {
    const started = performance.now()
    expect(fitsPattern('a'.repeat(100), `${'a*'.repeat(49)}b`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
