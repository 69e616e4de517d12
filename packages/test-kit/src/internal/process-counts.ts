import { readdirSync, readFileSync, statSync } from 'node:fs'

/** Open descriptors of this process, without the one that looks. */
export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length - 1
}

export function countThreads(): number {
  return readdirSync('/proc/self/task').length
}

/** Child processes by pid, zombies included, whichever thread made them. */
export function childProcesses(pid: number = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number)
}

/** Without those that are ended and wait to be reaped. */
export function isAlive(pid: number): boolean {
  const stat = readStat(String(pid))
  return stat !== undefined && stat[0] !== 'Z' && stat[0] !== 'X'
}

/** Cgroups below a folder, the folder itself not counted; 0 when it isn't there. */
export function countCgroups(root: string): number {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).length
  } catch {
    return statSync(root, { throwIfNoEntry: false }) === undefined ? 0 : -1
  }
}

function parentOf(pid: string): number {
  return Number(readStat(pid)?.[1])
}

/** The fields of `/proc/<pid>/stat` after the command, which may hold anything: state, parent, … */
function readStat(pid: string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
