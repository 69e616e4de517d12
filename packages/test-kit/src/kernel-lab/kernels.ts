import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { KernelLabError } from './kernel-lab-error.js'

/** The kernels that set-up unpacks: of Debian 12 (6.1, what an older host has) and of Debian 13 (6.12). */
export const labKernels = ['6.1', '6.12'] as const
export type LabKernel = (typeof labKernels)[number]

export interface KernelFiles {
  /** `uname -r` of it. */
  readonly release: string
  readonly image: string
  /** With `kernel/` below it. */
  readonly modules: string
  /** Where what is made of this kernel may be kept. */
  readonly folder: string
}

/** As in tools/bootstrap/lib/cache.mjs. */
export function labFolder(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env.PYISOLATE_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'pyisolate')
  return join(cache, 'kernels')
}

/** @throws KernelLabError `absent` */
export function kernelFiles(kernel: LabKernel): KernelFiles {
  const folder = join(labFolder(), kernel)
  const boot = join(folder, 'tree', 'boot')
  const image = existsSync(boot) ? readdirSync(boot).find((name) => name.startsWith('vmlinuz-')) : undefined
  if (image === undefined)
    throw new KernelLabError('absent', `no kernel ${kernel} in ${folder}: npm test fetches it (tools/bootstrap)`)
  const release = image.slice('vmlinuz-'.length)
  const places = [join('usr', 'lib'), 'lib'].map((lib) => join(folder, 'tree', lib, 'modules', release))
  const modules = places.find((place) => existsSync(place))
  if (modules === undefined) throw new KernelLabError('absent', `${folder} has no modules for ${release}: remove it`)
  return { release, image: join(boot, image), modules, folder }
}
