import type { SocketMark } from '@pyisolate/interface'
import { BpfError } from './errors/bpf-error.js'
import { BpfMisuseError } from './errors/misuse-error.js'
import { UnsupportedError } from './errors/unsupported-error.js'
import { type BpfEvent, readEvent } from './events.js'
import { calling, loadAddon, type NativePrograms, objectFile } from './internal/addon.js'
import { encode } from './internal/layout.js'
import { opening } from './internal/opening.js'
import { PolicySlots } from './internal/policy-slots.js'
import { type SandboxCounters, Sandboxes } from './internal/sandboxes.js'
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

class Lsm implements LsmPrograms {
  readonly #native: NativePrograms
  readonly #slots: PolicySlots
  readonly #sandboxes: Sandboxes

  constructor(native: NativePrograms) {
    this.#native = native
    this.#sandboxes = new Sandboxes(native, loadAddon().now)
    this.#slots = new PolicySlots(native, this.#sandboxes, loadAddon().gracePeriod)
  }

  putPolicy(slot: number, policy: BpfPolicy): readonly Unenforced[] {
    return this.#slots.put(slot, policy)
  }

  label(thread: number, { sandbox, slot }: Label): void {
    this.#slots.mustHold(slot)
    const index = this.#sandboxes.add(sandbox, slot)
    const value = encode('pyi_task', { sandbox, policy_slot: slot, started_ns: loadAddon().now(), index })
    try {
      calling(() => this.#native.label(thread, value))
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
    const value = this.#sandboxes.socketValue(sandbox)
    return { map: calling(() => this.#native.mapDescriptor('sockets')), value }
  }

  swap(sandbox: bigint, slot: number): number {
    this.#slots.mustHold(slot)
    return this.#sandboxes.swap(sandbox, slot)
  }

  forget(sandbox: bigint): void {
    if (this.#sandboxes.has(sandbox)) this.#sandboxes.remove(sandbox)
  }

  remove(sandbox: bigint): void {
    this.#sandboxes.remove(sandbox)
  }

  counters(sandbox: bigint): SandboxCounters {
    return this.#sandboxes.counters(sandbox)
  }

  events(most = 4096): readonly BpfEvent[] {
    if (!Number.isSafeInteger(most) || most < 1) throw new BpfMisuseError(`${most} events: expected 1 or more`)
    return calling(() => this.#native.drain(most)).flatMap((record) => readEvent(record) ?? [])
  }

  watch(listener: () => void): void {
    calling(() => this.#native.watch(listener))
  }

  pin(folder: string): void {
    calling(() => this.#native.pin(folder))
  }

  close(): void {
    this.#native.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
