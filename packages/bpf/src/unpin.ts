import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Unlinks what `LsmPrograms.pin` left in a folder of a BPF file system: the enforcement ends soon after, unless the
 * programs are held elsewhere. For whoever takes over from a supervisor that was killed, once its last cell is gone.
 */
export function unpin(folder: string): void {
  for (const name of readdirSync(folder)) if (/^link-\d+$/.test(name)) rmSync(join(folder, name))
}
