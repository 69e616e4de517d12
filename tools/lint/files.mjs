import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const PRUNED = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.turbo', '.cache'])

/** The files that belong to the project: git's view where there is one, so that scratch files don't count. */
export function projectFiles(root) {
  if (fs.existsSync(path.join(root, '.git'))) {
    const args = ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
    const names = execFileSync('git', args, { encoding: 'utf8', maxBuffer: 64 << 20 }).split('\0')
    return names.filter((name) => name && fs.existsSync(path.join(root, name)))
  }
  const visit = (folder) =>
    fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const name = path.join(folder, entry.name)
      if (entry.isDirectory()) return PRUNED.has(entry.name) ? [] : visit(name)
      return entry.isFile() ? [name] : []
    })
  return visit('')
}
