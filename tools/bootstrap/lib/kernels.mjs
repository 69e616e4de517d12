import fs from 'node:fs'
import path from 'node:path'
import { capture, run } from './exec.mjs'
import { SetupFailure } from './failure.mjs'
import { aptFailure } from './packages.mjs'
import { osRelease } from './platform.mjs'
import { privateApt } from './python/fetch.mjs'
import { deriveSources, readMachineSources } from './python/sources.mjs'

/** As packages/test-kit/src/kernel-lab/kernels.ts has them: an older host's kernel and a newer one's. */
const KERNELS = { 6.1: 'bookworm', 6.12: 'trixie' }
const META = 'linux-image-cloud-amd64'

/** Whether this machine can boot them: sharing its root needs root, and apt trusts its own distribution's keys. */
export function kernelLabPossible(release = osRelease(), uid = process.getuid?.(), arch = process.arch) {
  return uid === 0 && arch === 'x64' && release.ID === 'debian'
}

/** Debian's stock cloud kernels below the cache, unpacked and never installed. Apt verifies them. */
export async function provideKernels({ cache, log, report, release = osRelease(), etc }) {
  const folder = path.join(cache, 'kernels')
  for (const [kernel, suite] of Object.entries(KERNELS)) {
    const tree = path.join(folder, kernel, 'tree')
    if (!fs.existsSync(tree))
      await unpack({ folder: path.join(folder, kernel), tree, suite, release, log, report, etc })
  }
}

async function unpack({ folder, tree, suite, release, log, report, etc }) {
  fs.rmSync(folder, { recursive: true, force: true })
  const apt = path.join(folder, 'apt')
  fs.mkdirSync(apt, { recursive: true })
  const sources = deriveSources(readMachineSources(etc), release.VERSION_CODENAME, suite, 'deb')
  if (!sources)
    throw new SetupFailure('KERNELS', "apt's configuration names no repository of this distribution", { log })
  const options = privateApt(apt)
  fs.writeFileSync(path.join(apt, 'parts', 'kernel.sources'), sources)
  const env = { ...process.env, LC_ALL: 'C' }
  report(`reading ${suite}'s index`)
  await run('apt-get', [...options, '-q', 'update'], { log, env, failure: (tail) => aptFailure('update', tail, log) })
  const depends = capture('apt-cache', [...options, 'depends', META], { env }) ?? ''
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (!name) throw new SetupFailure('KERNELS', `${suite} has no ${META}`, { log })
  report(`downloading ${name}`)
  await run('apt-get', [...options, '-q', 'download', name], {
    log,
    env,
    cwd: apt,
    failure: (tail) => aptFailure('download', tail, log),
  })
  const file = fs.readdirSync(apt).find((entry) => entry.endsWith('.deb'))
  report(`unpacking ${name}`)
  const partial = path.join(folder, 'partial')
  await run('dpkg-deb', ['-x', path.join(apt, file ?? name), partial], {
    log,
    failure: () => new SetupFailure('KERNELS', `dpkg-deb can't unpack ${name}`, { log }),
  })
  fs.rmSync(apt, { recursive: true })
  fs.renameSync(partial, tree)
}
