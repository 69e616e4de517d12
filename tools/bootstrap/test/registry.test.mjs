import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { cacheRoot } from '../lib/cache.mjs'
import { installDependencies, npmInstall, pnpmVersion } from '../lib/pnpm.mjs'
import { registryCode, registryFailure } from '../lib/registry.mjs'
import { failureOf, pathWith, script, temporaryFolder } from './helpers.mjs'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

afterEach(() => vi.unstubAllEnvs())

/** Every request is answered by this status; resolves to the registry's address. */
async function registry(status) {
  const server = http.createServer((_request, response) => response.writeHead(status).end('{}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => server.close())
  return `http://127.0.0.1:${server.address().port}/`
}

/** A port that nothing listens on any more. */
async function closedRegistry() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/`
}

function npm(address, env = {}) {
  vi.stubEnv('npm_config_registry', address)
  // As `npm --silent start` hands it down: the code has to be printed all the same.
  vi.stubEnv('npm_config_loglevel', 'silent')
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const folder = temporaryFolder()
  vi.stubEnv('npm_config_cache', path.join(folder, 'npm-cache'))
  const log = path.join(folder, 'log')
  return failureOf(() => npmInstall('no-such-package-of-ours@1.0.0', folder, { log, report: () => {} }))
}

describe('npm itself', () => {
  test('that reaches nobody: its code, and what to look at', { timeout: 60_000 }, async () => {
    const failure = await npm(await closedRegistry())
    expect(failure.code).toBe('NETWORK')
    expect(failure.message).toMatch(/^npm install failed with ECONNREFUSED: the package registry can't be reached: /)
    expect(failure.line).not.toContain('\n')
  })

  test('that asks a registry without the package', { timeout: 60_000 }, async () => {
    const failure = await npm(await registry(404))
    expect(failure.code).toBe('DEPENDENCIES')
    expect(failure.message).toMatch(/^npm install failed with E404: the registry doesn't have it: /)
  })

  test('that is not let in', { timeout: 60_000 }, async () => {
    const failure = await npm(await registry(401))
    expect(failure.message).toMatch(/^npm install failed with E401: the registry wants another login/)
  })

  test('that is not there', async () => {
    expect(await npm('http://127.0.0.1:1/', { PATH: temporaryFolder() })).toMatchObject({
      code: 'COMMAND',
      message: 'npm is not in PATH',
    })
  })
})

/** A workspace with one dependency, which its lockfile has under `specifier`; what the pinned pnpm makes of it. */
function pnpm(address, specifier) {
  const root = temporaryFolder()
  const name = 'no-such-package-of-ours'
  const manifest = { name: 'x', packageManager: `pnpm@${pnpmVersion(ROOT)}`, dependencies: { [name]: '1.0.0' } }
  fs.writeFileSync(path.join(root, 'package.json'), JSON.stringify(manifest))
  const integrity = `sha512-${Buffer.alloc(64).toString('base64')}`
  fs.writeFileSync(
    path.join(root, 'pnpm-lock.yaml'),
    `lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      ${name}:
        specifier: ${specifier}
        version: 1.0.0
packages:
  ${name}@1.0.0:
    resolution: {integrity: ${integrity}}
snapshots:
  ${name}@1.0.0: {}
`,
  )
  vi.stubEnv('npm_config_registry', address)
  vi.stubEnv('npm_config_fetch_retries', '0')
  vi.stubEnv('npm_config_loglevel', 'silent')
  const log = path.join(root, 'log')
  return failureOf(() => installDependencies({ root, cache: cacheRoot(), log, report: () => {} }))
}

describe('the pinned pnpm', () => {
  test('that reaches nobody', { timeout: 60_000 }, async () => {
    const failure = await pnpm(await closedRegistry(), '1.0.0')
    expect(failure.code).toBe('NETWORK')
    expect(failure.message).toMatch(/^pnpm install failed with ECONNREFUSED: /)
  })

  test('that asks a registry without the package', { timeout: 60_000 }, async () => {
    const failure = await pnpm(await registry(404), '1.0.0')
    expect(failure.message).toMatch(/^pnpm install failed with ERR_PNPM_FETCH_404: the registry doesn't have it: /)
  })

  test('with a lockfile of other manifests', { timeout: 60_000 }, async () => {
    const failure = await pnpm(await closedRegistry(), '2.0.0')
    expect(failure.code).toBe('LOCKFILE')
    expect(failure.message).toMatch(/^pnpm install failed with ERR_PNPM_OUTDATED_LOCKFILE: /)
  })
})

describe('what can not be had at will', () => {
  const failure = (text, tool = 'npm') => registryFailure(tool, text, '/l')

  test('the code is found as npm 9 and npm 10 print it', () => {
    expect(registryCode('npm ERR! code ENOTFOUND\nnpm ERR! errno ENOTFOUND')).toBe('ENOTFOUND')
    expect(registryCode('npm error code ENOTFOUND\nnpm error errno ENOTFOUND')).toBe('ENOTFOUND')
  })

  test('a certificate nobody here vouches for', () => {
    const { code, message } = failure(
      'npm ERR! code SELF_SIGNED_CERT_IN_CHAIN\nnpm ERR! errno SELF_SIGNED_CERT_IN_CHAIN',
    )
    expect(code).toBe('CERTIFICATE')
    expect(message).toContain('with SELF_SIGNED_CERT_IN_CHAIN: ')
    expect(message).toContain('NODE_EXTRA_CA_CERTS')
  })

  test("somebody else's folder is named", () => {
    const { code, message } = failure(
      'npm error code EACCES\nnpm error syscall mkdir\nnpm error path /srv/npm\nnpm error',
    )
    expect(code).toBe('PERMISSION')
    expect(message).toMatch(/^npm install failed with EACCES \(\/srv\/npm\): this user may not write there/)
  })

  test.each(['ENOSPC', 'EDQUOT'])('a full disk, %s', (code) => {
    expect(failure(`npm error code ${code}`)).toMatchObject({ code: 'DISK' })
  })

  test('a code without advice brings what was said of it', () => {
    const text = 'npm error code EOTHER\nnpm error errno -1\nnpm error The moon is in the way.\nnpm error more'
    expect(failure(text).message).toBe('npm install failed with EOTHER: The moon is in the way.')
    expect(failure(' ERR_PNPM_OTHER  The moon is in the way', 'pnpm').message).toBe(
      'pnpm install failed with ERR_PNPM_OTHER: ERR_PNPM_OTHER  The moon is in the way',
    )
  })

  test('no code at all', () => {
    expect(failure('TypeError: x is not a function').message).toBe('npm install failed: TypeError: x is not a function')
    expect(failure('').message).toBe('npm install failed')
  })

  test('an npm that crashes is told by its last error', async () => {
    const tools = temporaryFolder()
    script(tools, 'npm', 'echo "Error: Cannot find module semver" >&2; exit 7')
    const { message } = await npm('http://127.0.0.1:1/', { PATH: pathWith(tools).PATH })
    expect(message).toBe('npm install failed: Error: Cannot find module semver')
  })
})
