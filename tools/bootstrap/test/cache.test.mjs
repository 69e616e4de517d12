import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { cacheRoot, hashTree, lock, makeFolder, readJson, requireSpace, writeAtomically } from '../lib/cache.mjs'
import { failureOf, temporaryFolder } from './helpers.mjs'

describe('the cache', () => {
  test('is where the environment says', () => {
    expect(cacheRoot({ PYISOLATE_CACHE: '/a/b', XDG_CACHE_HOME: '/x' })).toBe('/a/b')
    expect(cacheRoot({ XDG_CACHE_HOME: '/x' })).toBe('/x/pyisolate')
    expect(cacheRoot({})).toBe(path.join(os.homedir(), '.cache', 'pyisolate'))
  })

  test('that can not be written is a failure that names the variable', async () => {
    const failure = await failureOf(() => makeFolder('/dev/null/cache'))
    expect(failure.code).toBe('CACHE')
    expect(failure.message).toMatch(/^can't write to \/dev\/null\/cache: .*PYISOLATE_CACHE names another place$/)
  })

  test('without space is a failure that says how much is needed and available', async () => {
    const statfs = () => ({ bavail: 2560, bsize: 4096 })
    expect(await failureOf(() => requireSpace('/c', 900 * 2 ** 20, 'building CPython', statfs))).toMatchObject({
      code: 'DISK',
      message:
        'building CPython needs 900 MiB free in /c, 10 MiB are available: make room; PYISOLATE_CACHE can put the cache elsewhere',
    })
    expect(() => requireSpace('/c', 5 * 2 ** 20, 'building CPython', statfs)).not.toThrow()
  })

  test('a torn stamp reads as absent', () => {
    const file = path.join(temporaryFolder(), 'stamp.json')
    writeAtomically(file, '{"a":1}')
    expect(readJson(file)).toEqual({ a: 1 })
    fs.writeFileSync(file, '{"a":')
    expect(readJson(file)).toBeUndefined()
  })

  test("a tree's hash follows contents and names, and prunes", () => {
    const root = temporaryFolder()
    fs.mkdirSync(path.join(root, 'src'))
    fs.writeFileSync(path.join(root, 'src', 'a'), '1')
    const first = hashTree(root, ['src', 'absent'])
    fs.writeFileSync(path.join(root, 'src', 'b'), '')
    expect(hashTree(root, ['src'])).not.toBe(first)
    expect(hashTree(root, ['src'], (name) => name === 'b')).toBe(first)
    fs.writeFileSync(path.join(root, 'src', 'a'), '2')
    expect(hashTree(root, ['src'], (name) => name === 'b')).not.toBe(first)
  })
})

describe('the lock', () => {
  const HOLDER = `
    const { lock } = await import(process.argv[1])
    await lock(process.argv[2])
    process.stdout.write('held')
    setInterval(() => {}, 1000)`

  test('keeps a second set-up waiting until the first is gone, however it went', async () => {
    const file = path.join(temporaryFolder(), 'lock')
    const module = new URL('../lib/cache.mjs', import.meta.url).href
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, module, file])
    await once(holder.stdout, 'data')

    let waited = false
    const pending = lock(file, () => {
      waited = true
      holder.kill('SIGKILL')
    })
    const release = await pending
    expect(waited).toBe(true)
    release()
    const again = await lock(file)
    again()
  })
})
