import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

export interface Page {
  readonly from: number
  readonly bytes: Buffer
}

interface Area {
  readonly from: number
  readonly to: number
  readonly writable: boolean
  readonly name: string
  /** Of the kernel's VmFlags: `dd` is in no core file, `wf` is wiped by a fork, `dc` isn't in a fork at all. */
  readonly flags: readonly string[]
}

/** A process's memory as /proc/<pid>/smaps (proc_pid_smaps(5)) has it. */
export function areas(pid: number | 'self'): Area[] {
  const found: Area[] = []
  let head: RegExpExecArray | null = null
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line) ?? head
    if (!line.startsWith('VmFlags:') || head === null) continue
    found.push({
      from: Number.parseInt(head[1]!, 16),
      to: Number.parseInt(head[2]!, 16),
      writable: head[3]!.includes('w'),
      name: head[4]!,
      flags: line.slice('VmFlags:'.length).trim().split(' '),
    })
  }
  return found
}

/** What whoever takes an image of a process reads; nothing of what the kernel doesn't let it read. */
export function image(pid: number | 'self', which: (area: Area) => boolean): Page[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    return areas(pid)
      .filter(which)
      .flatMap(({ from, to }) => {
        const bytes = Buffer.alloc(to - from)
        try {
          readSync(memory, bytes, 0, bytes.length, from)
          return [{ from, bytes }]
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error
          return []
        }
      })
  } finally {
    closeSync(memory)
  }
}

/** Writes an image back, as a checkpoint's restore would. */
export function writeBack(pid: number | 'self', pages: readonly Page[]): void {
  const memory = openSync(`/proc/${pid}/mem`, 'r+')
  try {
    for (const { from, bytes } of pages) writeSync(memory, bytes, 0, bytes.length, from)
  } finally {
    closeSync(memory)
  }
}

/** The pages that keys are in, where they are of the kind that whoever may trace a process can read. */
export const keyPages = ({ flags, name }: Area): boolean => name === '' && flags.includes('dd') && flags.includes('wf')
/** What a core file holds: all that is written to and isn't left out by request (core(5), MADV_DONTDUMP). */
export const dumped = ({ writable, flags }: Area): boolean => writable && !flags.includes('dd') && !flags.includes('io')
