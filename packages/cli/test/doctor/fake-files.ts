import type { HostFiles } from '../../src/doctor/host-files.js'

export function fakeFiles(texts: Readonly<Record<string, string>>, writable: readonly string[] = []): HostFiles {
  return {
    text: (path) => texts[path],
    number: (path) => (texts[path] === undefined ? undefined : Number(texts[path])),
    writable: (path) => writable.includes(path),
  }
}
