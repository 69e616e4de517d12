import { spawnSync } from 'node:child_process'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { SetupFailure } from '../lib/failure.mjs'
import { checkNode, checkPlatform } from '../lib/platform.mjs'
import { elapsed, Steps } from '../lib/ui.mjs'
import { PROFILES, selectProfile } from '../profiles.mjs'
import { failureOf, script, temporaryFolder } from './helpers.mjs'

const SETUP = fileURLToPath(new URL('../setup.mjs', import.meta.url))

function setUp(env) {
  const result = spawnSync(process.execPath, [SETUP], {
    encoding: 'utf8',
    env: { ...process.env, PYISOLATE_CACHE: temporaryFolder(), ...env },
  })
  return { status: result.status, stderr: result.stderr, stdout: result.stdout }
}

describe('a failing set-up ends with one line', () => {
  test('for a wrong interpreter, before anything is installed', () => {
    const python = script(temporaryFolder(), 'python', `echo '{"version":"3.11.2","freeThreaded":false}'`)
    expect(setUp({ PYISOLATE_PYTHON: python })).toEqual({
      status: 1,
      stdout: '',
      stderr: `set-up failed: ${python} is Python 3.11.2: 3.13 is needed\n`,
    })
  })

  test('for an unknown profile', () => {
    const { status, stderr } = setUp({ PYISOLATE_PROFILE: 'fast' })
    expect(status).toBe(1)
    expect(stderr).toBe('set-up failed: PYISOLATE_PROFILE: there is no profile fast\n')
  })

  test('for a cache that can not be written', () => {
    const { status, stderr } = setUp({ PYISOLATE_CACHE: '/dev/null/cache' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/^set-up failed: can't write to \/dev\/null\/cache: [^\n]*\n$/)
  })
})

describe('what is checked first', () => {
  test.each(['18.20.0', '20.18.3', '19.9.0'])('Node.js %s is too old', async (version) => {
    const { message } = await failureOf(() => checkNode(version))
    expect(message).toBe(`Node.js 20.19 or newer is needed, this is ${version}`)
  })

  test.each(['20.19.0', '22.0.0', '24.1.0'])('Node.js %s is fine', (version) => {
    expect(() => checkNode(version)).not.toThrow()
  })

  test('other systems and processors are named', async () => {
    expect((await failureOf(() => checkPlatform('darwin', 'arm64'))).message).toBe(
      'PyIsolate runs on Linux, this is darwin',
    )
    expect((await failureOf(() => checkPlatform('linux', 's390x'))).message).toBe(
      'PyIsolate runs on x64 and arm64, this is s390x',
    )
  })

  test('the profile is chosen by the environment', () => {
    expect(selectProfile({})).toBe(PROFILES.standard)
    expect(selectProfile({ PYISOLATE_PROFILE: 'hardened' })).toBe(PROFILES.hardened)
    expect(selectProfile({ PYISOLATE_PROFILE: 'constructor' })).toBeUndefined()
  })
})

describe('progress', () => {
  test.each([
    [40, '0.0 s'],
    [59_900, '59.9 s'],
    [59_999, '1 min 0 s'],
    [419_700, '7 min 0 s'],
  ])('%d ms are told as %s', (ms, text) => {
    expect(elapsed(ms)).toBe(text)
  })

  const collect = () => {
    const lines = []
    const out = new Writable({
      write(chunk, _encoding, done) {
        lines.push(chunk.toString())
        done()
      },
    })
    let clock = 0
    return { lines, steps: new Steps({ out, now: () => (clock += 750) }) }
  }

  test('each step is a line with its time', async () => {
    const { lines, steps } = collect()
    await steps.run('first', async () => 'all there')
    await steps.run('second', async () => {})
    expect(lines).toEqual(['✓ first: all there (0.8 s)\n', '✓ second (0.8 s)\n'])
  })

  test('a failed step is marked and its failure passed on', async () => {
    const { lines, steps } = collect()
    const failure = new SetupFailure('DISK', 'the disk is full', { log: '/l' })
    await expect(steps.run('third', () => Promise.reject(failure))).rejects.toBe(failure)
    expect(lines).toEqual(['✗ third (0.8 s)\n'])
    expect(failure.line).toBe('set-up failed: the disk is full (log: /l)')
  })
})
