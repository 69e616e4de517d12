import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { complaint } from '../lib/python/build.mjs'
import { openSource } from '../lib/python/fetch.mjs'
import { candidateSuites, deriveSources, readMachineSources } from '../lib/python/sources.mjs'
import { failureOf, script, temporaryFolder } from './helpers.mjs'

const DEBIAN = `
Types: deb
# a comment
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: https://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: https://vendor.example/apt
Suites: nodistro
Components: main

Enabled: no
Types: deb
URIs: https://off.example/debian
Suites: bookworm
Components: main
`

function etc(files) {
  const folder = temporaryFolder()
  fs.mkdirSync(path.join(folder, 'sources.list.d'))
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text)
  return folder
}

const debianRelease = { ID: 'debian', VERSION_CODENAME: 'bookworm', PRETTY_NAME: 'Debian 12' }

describe("another suite from the machine's own sources", () => {
  test("keeps the distribution's hosts, keys and pockets, and nobody else's", () => {
    const entries = readMachineSources(etc({ 'sources.list.d/debian.sources': DEBIAN }))
    const paragraphs = deriveSources(entries, 'bookworm', 'trixie').trim().split('\n\n')
    expect(paragraphs).toEqual([
      'Types: deb-src\nURIs: https://mirror.example/debian\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian.gpg',
      'Types: deb-src\nURIs: https://mirror.example/debian\nSuites: trixie-updates\nComponents: main\nSigned-By: /usr/share/keyrings/debian.gpg',
      'Types: deb-src\nURIs: https://mirror.example/security\nSuites: trixie-security\nComponents: main\nSigned-By: /usr/share/keyrings/debian.gpg',
    ])
  })

  test('sid has no pockets', () => {
    const entries = readMachineSources(etc({ 'sources.list.d/debian.sources': DEBIAN }))
    expect(deriveSources(entries, 'bookworm', 'sid').match(/Suites: .*/g)).toEqual(['Suites: sid'])
  })

  test('reads the one-line format, with options', () => {
    const line =
      'deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # note\n# deb http://x y main'
    const derived = deriveSources(readMachineSources(etc({ 'sources.list': line })), 'bookworm', 'trixie')
    expect(derived).toBe(
      'Types: deb-src\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main\nSigned-By: /k.gpg\n',
    )
  })

  test('keeps a key that is written inside the file', () => {
    const text =
      'Types: deb\nURIs: http://m.example/d\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN\n .\n abc\n'
    const derived = deriveSources(readMachineSources(etc({ 'sources.list.d/a.sources': text })), 'bookworm', 'trixie')
    expect(derived).toContain('Signed-By: \n -----BEGIN\n .\n abc')
  })

  test('looks in universe on Ubuntu', () => {
    const text =
      'Types: deb\nURIs: http://m.example/ubuntu\nSuites: noble noble-updates\nComponents: main universe restricted\n'
    const release = { ID: 'ubuntu', ID_LIKE: 'debian', VERSION_CODENAME: 'noble' }
    const [suite] = candidateSuites(release)
    const derived = deriveSources(readMachineSources(etc({ 'sources.list.d/ubuntu.sources': text })), 'noble', suite)
    expect(derived).toContain(`Suites: ${suite}-updates\nComponents: main universe`)
  })
})

describe('when the source can not be had', () => {
  const open = (release, folder) =>
    openSource({ folder: temporaryFolder(), release, log: path.join(folder, 'log'), report: () => {}, etc: folder })

  test('an unknown distribution is named', async () => {
    const failure = await failureOf(() => open({ ID: 'other', PRETTY_NAME: 'Other 1' }, etc({})))
    expect(failure.message).toContain('no source of CPython 3.13 is known for Other 1: PYISOLATE_PYTHON can name')
  })

  test('a configuration without repositories is named', async () => {
    const failure = await failureOf(() => open(debianRelease, etc({})))
    expect(failure.message).toContain("apt's configuration names no repository of this distribution")
  })

  test('a missing network is named', async () => {
    const tools = temporaryFolder()
    script(tools, 'apt-get', 'echo "W: Failed to fetch: Could not resolve the mirror" >&2; exit 100')
    vi.stubEnv('PATH', `${tools}:${process.env.PATH}`)
    const folder = etc({ 'sources.list.d/debian.sources': DEBIAN })
    expect(await failureOf(() => open(debianRelease, folder))).toMatchObject({
      code: 'NETWORK',
      message: "apt-get update can't reach the distribution's repository: is the network up?",
    })
    vi.unstubAllEnvs()
  })

  test('suites that lack the package are passed over, and that is said', async () => {
    const tools = temporaryFolder()
    script(tools, 'apt-get', 'exit 0')
    script(tools, 'apt-cache', 'exit 100')
    vi.stubEnv('PATH', `${tools}:${process.env.PATH}`)
    const folder = etc({ 'sources.list.d/debian.sources': DEBIAN })
    expect(await failureOf(() => open(debianRelease, folder))).toMatchObject({ code: 'PYTHON_SOURCE' })
    vi.unstubAllEnvs()
  })
})

describe('a build that fails', () => {
  test.each([
    [
      "checking whether the C compiler works... no\nconfigure: error: in `/b':\nconfigure: error: C compiler cannot create executables\nSee `config.log' for more details",
      ': C compiler cannot create executables',
    ],
    [
      'gcc -c a.c\na.c:1:2: error: unknown type name x\nmake: *** [Makefile:1: a.o] Error 1',
      ': a.c:1:2: error: unknown type name x',
    ],
    [
      "Traceback (most recent call last):\nModuleNotFoundError: No module named '_ssl'",
      ": ModuleNotFoundError: No module named '_ssl'",
    ],
    ['make: *** [Makefile:1: a.o] Error 1', ''],
  ])('is told by what was said first of it', (tail, said) => {
    expect(complaint(tail)).toBe(said)
  })
})
