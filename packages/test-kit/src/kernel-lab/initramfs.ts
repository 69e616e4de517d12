import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from '../internal/run-node.js'
import { cpio } from './cpio.js'
import { KernelLabError } from './kernel-lab-error.js'
import type { KernelFiles } from './kernels.js'
import { moduleFiles } from './modules.js'

const folderMode = 0o040755
const fileMode = 0o100644
const programMode = 0o100755

/** What must be there before the shared root can be mounted. */
const wanted = ['virtio_pci', 'virtiofs']

/** An archive to boot with, made once for each kernel; `undefined` when the kernel has all it needs built in. */
export async function initramfs(kernel: KernelFiles): Promise<string | undefined> {
  const modules = moduleFiles(kernel.modules, wanted)
  if (modules.length === 0) return undefined
  const source = sourceFile('switch-root.c')
  const key = createHash('sha256').update(readFileSync(source)).update(kernel.release).digest('hex').slice(0, 16)
  const archive = join(kernel.folder, `initramfs-${key}.cpio`)
  if (existsSync(archive)) return archive

  const unfinished = `${archive}.${process.pid}`
  const init = `${unfinished}.init`
  const built = await run('cc', ['-O2', '-static', '-o', init, source])
  if (built.code !== 0) throw new KernelLabError('absent', `cc can't build ${source}: ${built.stderr}`)
  const entries = [
    ...['dev', 'modules', 'host'].map((name) => ({ name, mode: folderMode })),
    ...modules.map((file, index) => ({
      name: `modules/${String(index).padStart(2, '0')}-${basename(file)}`,
      mode: fileMode,
      data: readFileSync(file),
    })),
    { name: 'init', mode: programMode, data: readFileSync(init) },
  ]
  writeFileSync(unfinished, cpio(entries))
  rmSync(init)
  renameSync(unfinished, archive)
  return archive
}

/** From `src` as from `dist`: this package is private, its sources are always there. */
function sourceFile(name: string): string {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) folder = new URL('..', folder)
  return fileURLToPath(new URL(`src/kernel-lab/${name}`, folder))
}
