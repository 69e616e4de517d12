import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { kernelLabPossible, provideKernels } from '../lib/kernels.mjs'
import { failureOf, temporaryFolder } from './helpers.mjs'

/**
 * A distribution of two packages, signed by a key that was thrown away: what is changed in it can't be signed again.
 * `kernel.deb` has boot/vmlinuz-6.0-fixture.
 */
const FIXTURE = fileURLToPath(new URL('./repository', import.meta.url))
const DEBIAN = { ID: 'debian', VERSION_CODENAME: 'bookworm' }

let folder
let repository

/** The fixture as a mirror has it, for both suites. */
beforeEach(() => {
  folder = temporaryFolder()
  repository = path.join(folder, 'mirror')
  for (const suite of ['bookworm', 'trixie']) {
    place('InRelease', `dists/${suite}/InRelease`)
    for (const arch of ['amd64', 'arm64']) place('Packages', `dists/${suite}/main/binary-${arch}/Packages`)
  }
  place('kernel.deb', 'pool/kernel.deb')
  sources('bookworm')
})

function place(name, to) {
  const target = path.join(repository, to)
  fs.mkdirSync(path.dirname(target), { recursive: true })
  fs.copyFileSync(path.join(FIXTURE, name), target)
}

/** One byte of a file, changed: where `text` begins, or near its end. */
function spoil(file, text) {
  const full = path.join(repository, file)
  const bytes = fs.readFileSync(full)
  bytes[text === undefined ? bytes.length - 100 : bytes.indexOf(text)] ^= 1
  fs.writeFileSync(full, bytes)
}

/** What this machine's apt would be set up with. */
function sources(suite) {
  const parts = path.join(folder, 'etc', 'sources.list.d')
  fs.mkdirSync(parts, { recursive: true })
  const lines = [
    'Types: deb',
    `URIs: file:${repository}`,
    `Suites: ${suite}`,
    'Components: main',
    `Signed-By: ${path.join(FIXTURE, 'key.asc')}`,
  ]
  fs.writeFileSync(path.join(parts, 'x.sources'), `${lines.join('\n')}\n`)
}

const provide = () =>
  provideKernels({
    cache: path.join(folder, 'cache'),
    log: path.join(folder, 'log'),
    report: () => {},
    release: DEBIAN,
    etc: path.join(folder, 'etc'),
  })

const kernelFile = (kernel) => path.join(folder, 'cache', 'kernels', kernel, 'tree', 'boot', 'vmlinuz-6.0-fixture')

describe('kernels to test with', () => {
  test('are for root on Debian, x64: who can share a root and has the keys', () => {
    expect(kernelLabPossible(DEBIAN, 0, 'x64')).toBe(true)
    expect(kernelLabPossible(DEBIAN, 1000, 'x64')).toBe(false)
    expect(kernelLabPossible(DEBIAN, 0, 'arm64')).toBe(false)
    expect(kernelLabPossible({ ID: 'ubuntu', ID_LIKE: 'debian' }, 0, 'x64')).toBe(false)
    expect(kernelLabPossible({}, 0, 'x64')).toBe(false)
  })

  test('come verified by apt, one of each suite, and leave nothing but their trees', { timeout: 60_000 }, async () => {
    await provide()
    for (const kernel of ['6.1', '6.12']) {
      expect(fs.readFileSync(kernelFile(kernel), 'utf8')).toBe('not a kernel\n')
      expect(fs.readdirSync(path.join(folder, 'cache', 'kernels', kernel))).toEqual(['tree'])
    }
    const log = fs.readFileSync(path.join(folder, 'log'), 'utf8')

    // What is there is not fetched again, even when nothing could be.
    fs.rmSync(repository, { recursive: true })
    await provide()
    expect(fs.readFileSync(path.join(folder, 'log'), 'utf8')).toBe(log)
  })

  test('that are not what the index says are refused', { timeout: 60_000 }, async () => {
    spoil('pool/kernel.deb')
    const failure = await failureOf(provide)
    expect(failure.code).toBe('UNVERIFIED')
    expect(failure.message).toMatch(/^apt-get download refuses .*\(Hash Sum mismatch\)/)
    expect(fs.existsSync(kernelFile('6.1'))).toBe(false)
  })

  test.each([
    ['an index that is not what was signed', 'dists/bookworm/main/binary-amd64/Packages', 'Depends'],
    ['a list that is not what was signed', 'dists/bookworm/InRelease', 'a test'],
    ['a signature that is none', 'dists/bookworm/InRelease', undefined],
  ])('under %s are refused', { timeout: 60_000 }, async (_what, file, text) => {
    spoil(file, text)
    expect(await failureOf(provide)).toMatchObject({ code: 'UNVERIFIED' })
    expect(fs.existsSync(kernelFile('6.1'))).toBe(false)
  })

  test('without any signature are refused', { timeout: 60_000 }, async () => {
    for (const suite of ['bookworm', 'trixie']) {
      const file = path.join(repository, 'dists', suite, 'InRelease')
      const text = fs.readFileSync(file, 'utf8')
      fs.writeFileSync(
        path.join(path.dirname(file), 'Release'),
        /(?<=\n\n)Origin.*(?=\n-----BEGIN PGP SIG)/s.exec(text)[0],
      )
      fs.rmSync(file)
    }
    const failure = await failureOf(provide)
    expect(failure).toMatchObject({ code: 'UNVERIFIED', message: expect.stringMatching(/is not signed/) })
  })

  test('of an attempt that stopped half-way are fetched whole', { timeout: 60_000 }, async () => {
    const stopped = path.join(folder, 'cache', 'kernels', '6.1', 'partial', 'boot')
    fs.mkdirSync(stopped, { recursive: true })
    fs.writeFileSync(path.join(stopped, 'vmlinuz-5.0-other'), '')
    await provide()
    expect(fs.readdirSync(path.dirname(kernelFile('6.1')))).toEqual(['vmlinuz-6.0-fixture'])
  })

  test('of another distribution, or none, are not looked for', async () => {
    sources('someone-elses')
    expect(await failureOf(provide)).toMatchObject({
      code: 'KERNELS',
      message: "apt's configuration names no repository of this distribution",
    })
  })
})
