import { accessSync, constants, readFileSync } from 'node:fs'

/** What the kernel says in files. */
export interface HostFiles {
  /** Trimmed; `undefined` when there is no such file, or it can't be read. */
  text(path: string): string | undefined
  number(path: string): number | undefined
  writable(path: string): boolean
}

export const hostFiles: HostFiles = {
  text: (path) => {
    try {
      return readFileSync(path, 'utf8').trim()
    } catch {
      return undefined
    }
  },
  number: (path) => {
    const text = hostFiles.text(path)
    return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text)
  },
  writable: (path) => {
    try {
      accessSync(path, constants.W_OK)
      return true
    } catch {
      return false
    }
  },
}
