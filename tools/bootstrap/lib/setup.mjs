import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { selectProfile } from '../profiles.mjs'
import { buildBpf } from './bpf.mjs'
import { cacheRoot, lock, makeFolder } from './cache.mjs'
import { SetupFailure } from './failure.mjs'
import { kernelLabPossible, provideKernels } from './kernels.mjs'
import { buildNative } from './native.mjs'
import { installPackages } from './packages.mjs'
import { checkCompilers, checkPlatform } from './platform.mjs'
import { installDependencies, providePnpm } from './pnpm.mjs'
import { namedPython, providePython } from './python/provide.mjs'
import { buildTypeScript } from './typescript.mjs'
import { Steps } from './ui.mjs'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

/**
 * Brings this checkout to where its programs and, with `tests`, its tests can run. Every step finds out itself what is
 * left to do.
 */
export async function setUp({ root = ROOT, env = process.env, steps = new Steps(), tests = false } = {}) {
  checkPlatform()
  const profile = selectProfile(env)
  if (!profile) throw new SetupFailure('PROFILE', `PYISOLATE_PROFILE: there is no profile ${env.PYISOLATE_PROFILE}`)
  // Asked before anything is installed: a wrong one would end the set-up minutes later.
  if (env.PYISOLATE_PYTHON) namedPython(env)
  const cache = makeFolder(cacheRoot(env))
  const log = openLog(makeFolder(path.join(cache, 'logs')))

  const lab = tests && kernelLabPossible()
  let compiler
  await steps.run('system packages', async (report) => {
    const detail = await installPackages(profile, { log, report, env, tests, lab })
    compiler = checkCompilers(profile, env)
    return detail
  })
  const release = await exclusively(steps, [path.join(cache, 'set-up.lock'), checkoutLock(root)])
  try {
    let python
    await steps.run('pnpm and dependencies', async (report) => {
      await providePnpm({ root, cache, log, report })
      await installDependencies({ root, cache, log, report })
    })
    await steps.run('CPython 3.13, free-threaded', async (report) => {
      python = await providePython({ cache, profile, compiler, log, report, env })
      return `${python.version} in ${python.prefix}`
    })
    await steps.run('native parts', (report) => {
      return buildNative({ root, cache, profile, compiler, python, log, report })
    })
    await steps.run('BPF programs', (report) => buildBpf({ root, cache, profile, compiler, log, report, env }))
    if (lab) await steps.run('kernels to test with', (report) => provideKernels({ cache, log, report }))
    await steps.run('TypeScript packages', (report) => buildTypeScript({ root, cache, log, report }))
    steps.done('set up')
    return { root, cache, profile, python }
  } finally {
    for (const done of release) done()
  }
}

function checkoutLock(root) {
  return path.join(
    makeFolder(path.join(root, '.cache'), 'set-up writes into the checkout: run it as its owner'),
    'set-up.lock',
  )
}

async function exclusively(steps, files) {
  const held = []
  for (const file of files) held.push(await lock(file, () => steps.note('waiting for another set-up to finish')))
  return held
}

const KEPT_LOGS = 10

function openLog(folder) {
  const old = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
  for (const name of old.slice(0, Math.max(0, old.length - KEPT_LOGS + 1)))
    fs.rmSync(path.join(folder, name), { force: true })
  const name = `${new Date().toISOString().replace(/[:.]/g, '-')}-${process.pid}.log`
  return path.join(folder, name)
}
