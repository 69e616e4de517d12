import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { complaint } from '../lib/python/build.mjs'
import { firstToBeHad, sources, unpackSource } from '../lib/python/fetch.mjs'
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
  const open = async (release, folder) => {
    const log = path.join(folder, 'log')
    const all = []
    for await (const one of sources({ folder: temporaryFolder(), release, log, report: () => {}, etc: folder }))
      all.push(`${one.version} of ${one.suite}`)
    return all
  }

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

describe('several versions of the source', () => {
  /** apt with two versions, of which it delivers what `delivers` says (a shell pattern of the argument). */
  function apt(delivers) {
    const tools = temporaryFolder()
    script(tools, 'apt-cache', 'printf "Version: 3.13.7-1\\n\\nVersion: 3.13.7-1ubuntu0.4\\n\\nVersion: 3.13.7-1\\n"')
    const refuse = 'echo "E: Failed to fetch http://m.example/x.dsc  404  Not Found [IP: 192.0.2.1 80]" >&2; exit 100'
    script(
      tools,
      'apt-get',
      `for last; do :; done; case "$last" in update) exit 0;; ${delivers}) : > x.dsc; exit 0;; esac; ${refuse}`,
    )
    script(tools, 'dpkg-source', 'mkdir "$3"')
    vi.stubEnv('PATH', `${tools}:${process.env.PATH}`)
    onTestFinished(() => vi.unstubAllEnvs())
  }

  async function firstOf() {
    const folder = etc({ 'sources.list.d/debian.sources': DEBIAN })
    const options = { folder, log: path.join(folder, 'log'), report: () => {} }
    const tried = []
    const take = async (source) => {
      tried.push(source.version)
      await unpackSource(source, { ...options, folder: path.join(folder, source.version) })
      return source.version
    }
    const failure = await failureOf(() =>
      firstToBeHad(sources({ ...options, release: debianRelease, etc: folder }), take, () => {}),
    )
    return { tried, ...failure }
  }

  test('the newest is taken', async () => {
    apt('*')
    expect(await firstOf()).toEqual({ tried: ['3.13.7-1ubuntu0.4'], returned: '3.13.7-1ubuntu0.4' })
  })

  test('an older one is, where the index has what the repository has not', async () => {
    apt('*=3.13.7-1')
    expect(await firstOf()).toEqual({ tried: ['3.13.7-1ubuntu0.4', '3.13.7-1'], returned: '3.13.7-1' })
  })

  test('none of which is there: all are named', async () => {
    apt('none')
    const { code, message } = await firstOf()
    expect(code).toBe('PYTHON_SOURCE')
    expect(message).toContain('(3.13.7-1ubuntu0.4 of trixie, 3.13.7-1 of trixie, 3.13.7-1ubuntu0.4 of sid,')
    expect(message).toContain('PYISOLATE_PYTHON can name')
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
