import { mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompiledPolicy } from '@pyisolate/policy'

/** Whether a policy speaks of `$TMP`. */
export function needsScratch({ fs }: CompiledPolicy): boolean {
  return [fs.read, fs.write, fs.exec].some((rules) =>
    rules.some(({ path }) => path === '$TMP' || path.startsWith('$TMP/')),
  )
}

/** A folder of one sandbox's own, for its owner alone; it goes with the sandbox. @throws NodeJS.ErrnoException */
export function makeScratch(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'pyisolate-scratch-')))
}

export async function removeScratch(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
