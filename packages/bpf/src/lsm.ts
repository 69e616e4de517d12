import { readdirSync } from 'node:fs'
import type { SocketMark } from '@pyisolate/interface'
import { BpfError } from './errors/bpf-error.js'
import { UnsupportedError } from './errors/unsupported-error.js'
import type { BpfEvent } from './events.js'
import { calling, loadAddon, objectFile } from './internal/addon.js'
import { encode, layouts } from './internal/layout.js'
import { opening } from './internal/opening.js'
import { PolicyPrograms } from './internal/policy-programs.js'
import type { SandboxCounters } from './internal/sandboxes.js'
import type { BpfPolicy, Unenforced } from './policy.js'

export const lsmRequirement = {
  feature: 'bpf-lsm',
  minimumKernel: '5.19',
  instead: 'seccomp with the broker, and Landlock',
} as const

export interface Label {
  readonly sandbox: bigint
  /** The policy that it starts with; later ones come by `swap`. */
  readonly slot: number
  /**
   * Its calls on files and sockets are answered by a broker, which hands it what it has opened
   * (SECCOMP_IOCTL_NOTIF_ADDFD): a descriptor that it receives in `open`, `creat`, `openat`, `openat2` or `socket` is not
   * judged. For threads that have the broker's listener already: a thread gets no second one, which could be anybody's.
   */
  readonly brokered?: boolean
}

/** BPF LSM programs at work. Whoever holds it is root, or has CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN. */
export interface LsmPrograms extends Disposable {
  /**
   * Fills a slot, 1 to 255, that no sandbox is using. The contracts' programs go through the kernel's verifier first.
   * @throws BpfMisuseError, ContractRefusedError, BpfError
   */
  putPolicy(slot: number, policy: BpfPolicy): readonly Unenforced[]
  /**
   * Puts a thread, and whatever it starts from now on, into a sandbox. Before Linux 6.9 only a process's first thread:
   * label it before it starts others.
   * @throws BpfMisuseError, BpfError, UnsupportedError
   */
  label(thread: number, label: Label): void
  /**
   * Puts every thread of a process that has no label yet into a sandbox, and whatever they start. Before Linux 6.9 there
   * are no labels of threads. @throws BpfMisuseError, BpfError, UnsupportedError
   */
  labelRest(process: number, label: Label): void
  /** For sockets that somebody else makes for it: what they receive is counted. Those of labelled threads have it. */
  mark(sandbox: bigint): SocketMark
  /** From the next decision on, `slot` is the sandbox's policy: one store of one word. Returns the generation. */
  swap(sandbox: bigint, slot: number): number
  /** Takes back a sandbox that no thread was labelled with, as `label` threw. */
  forget(sandbox: bigint): void
  /** What is left of it is denied everything. */
  remove(sandbox: bigint): void
  counters(sandbox: bigint): SandboxCounters
  /** What happened since the last call; at most `most`. */
  events(most?: number): readonly BpfEvent[]
  /** Calls `listener` soon after events have come, until `close`. It keeps no event loop alive. */
  watch(listener: () => void): void
  /** The links in a folder of a BPF file system, where they hold beyond this process, until they are unlinked. */
  pin(folder: string): void
  /** Ends the enforcement, but for what is pinned. */
  close(): void
}

/** Loads the programs, past the kernel's verifier, and attaches them. @throws UnsupportedError, BpfError */
export function loadLsm(): LsmPrograms {
  const addon = loadAddon()
  const native = opening(lsmRequirement, () => new addon.Programs(objectFile('pyisolate'), []))
  try {
    opening(lsmRequirement, () => native.attach())
  } catch (error) {
    native.close()
    throw error
  }
  return new Lsm(native)
}

class Lsm extends PolicyPrograms implements LsmPrograms {
  label(thread: number, label: Label): void {
    this.#label(thread, this.#value(label), false)
  }

  labelRest(process: number, label: Label): void {
    const value = this.#value(label)
    // Until none is found: what a thread without a label starts meanwhile has none either.
    for (let found = true; found; ) {
      found = false
      for (const thread of readdirSync(`/proc/${process}/task`)) {
        try {
          if (this.#label(Number(thread), value, true)) found = true
        } catch (error) {
          if (!BpfError.isInstance(error) || error.error !== 'ESRCH') throw error // it has ended
        }
      }
    }
  }

  #value({ sandbox, slot, brokered = false }: Label): Buffer {
    this.slots.mustHold(slot)
    const index = this.sandboxes.add(sandbox, slot)
    return encode('pyi_task', {
      sandbox,
      policy_slot: slot,
      started_ns: loadAddon().now(),
      index,
      flags: Number(brokered),
    })
  }

  #label(thread: number, value: Buffer, unlabelledOnly: boolean): boolean {
    try {
      return calling(() => this.native.label(thread, value, unlabelledOnly))
    } catch (error) {
      if (!BpfError.isInstance(error) || error.call !== 'pidfd_open' || error.error !== 'EINVAL') throw error
      const why = `${thread} is a thread, not a process`
      throw new UnsupportedError('thread-label', why, {
        minimumKernel: '6.9',
        instead: 'labels of processes',
        cause: error,
      })
    }
  }

  mark(sandbox: bigint): SocketMark {
    const index = this.sandboxes.indexOf(sandbox)
    const { bytes_sent: sent, bytes_received: received } = layouts.pyi_sandbox.fields
    const map = (name: string): number => calling(() => this.native.mapDescriptor(name))
    return {
      map: map('sockets'),
      value: encode('pyi_socket', { sandbox, index }),
      counted: { map: map('sandboxes'), index, sentAt: sent[0], receivedAt: received[0] },
    }
  }

  forget(sandbox: bigint): void {
    if (this.sandboxes.has(sandbox)) this.sandboxes.remove(sandbox)
  }

  watch(listener: () => void): void {
    calling(() => this.native.watch(listener))
  }

  pin(folder: string): void {
    calling(() => this.native.pin(folder))
  }
}
