import { readFileSync } from 'node:fs'

export interface RestPort {
  /** Labels every thread of a process that has no label. */
  label(process: number, sandbox: bigint, slot: number): void
  forget(sandbox: bigint): void
  /** One that no sandbox has. */
  number(): bigint
  /** With a policy that allows nothing. */
  slot(): { readonly slot: { readonly number: number }; leave(): void }
}

interface Rest {
  readonly label: bigint
  /** The process's sandboxes, the oldest first. */
  readonly sandboxes: Set<bigint>
}

/**
 * Of processes that many sandboxes share, the threads that run no guest: native code of any of them could take those over.
 * They are labelled with a policy that allows nothing, as are blanks until they are somebody's.
 */
export class RestOfProcesses {
  readonly #port: RestPort
  readonly #known = new Map<number, Rest>()

  constructor(port: RestPort) {
    this.#port = port
  }

  /** `undefined`: the thread is its process's first, and its sandbox alone there. @throws what `label` throws */
  join(sandbox: bigint, thread: number): { leave(): void } | undefined {
    const process = processOf(thread)
    if (process === thread) return undefined
    const known = this.#known.get(process)
    const rest = known ?? { label: this.#port.number(), sandboxes: new Set<bigint>() }
    const { slot, leave } = this.#port.slot()
    try {
      this.#port.label(process, rest.label, slot.number)
    } catch (error) {
      if (known === undefined) this.#port.forget(rest.label)
      leave()
      throw error
    }
    this.#known.set(process, rest)
    rest.sandboxes.add(sandbox)
    return {
      leave: () => {
        rest.sandboxes.delete(sandbox)
        if (rest.sandboxes.size === 0) {
          this.#port.forget(rest.label)
          this.#known.delete(process)
        }
        leave()
      },
    }
  }

  /** Whom to tell what was denied to such a thread: the oldest sandbox of its process. */
  neighbourOf(label: bigint): bigint | undefined {
    for (const rest of this.#known.values()) if (rest.label === label) return [...rest.sandboxes][0]
    return undefined
  }
}

/** proc_pid_status(5) */
function processOf(thread: number): number {
  return Number(/^Tgid:\t(\d+)$/m.exec(readFileSync(`/proc/${thread}/status`, 'latin1'))![1])
}
