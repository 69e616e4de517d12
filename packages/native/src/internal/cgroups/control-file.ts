import { readFileSync, writeFileSync } from 'node:fs'
import { CgroupError } from '../../errors/cgroup-error.js'

/** @throws CgroupError */
export function writeControl(file: string, value: string): void {
  try {
    // Never made: a control file that isn't there is a controller that isn't there.
    writeFileSync(file, value, { flag: 'r+' })
  } catch (cause) {
    throw new CgroupError(file, value, cause)
  }
}

/** @throws CgroupError */
export function readControl(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new CgroupError(file, undefined, cause)
  }
}
