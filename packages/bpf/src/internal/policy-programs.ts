import { BpfMisuseError } from '../errors/misuse-error.js'
import { type BpfEvent, readEvent } from '../events.js'
import type { BpfPolicy, Unenforced } from '../policy.js'
import { calling, loadAddon, type NativePrograms } from './addon.js'
import { PolicySlots } from './policy-slots.js'
import { type SandboxCounters, Sandboxes } from './sandboxes.js'

/** What the LSM programs and those on control groups have in common: slots of policies, records of sandboxes, events. */
export abstract class PolicyPrograms implements Disposable {
  protected readonly native: NativePrograms
  protected readonly slots: PolicySlots
  protected readonly sandboxes: Sandboxes

  constructor(native: NativePrograms) {
    this.native = native
    this.sandboxes = new Sandboxes(native, loadAddon().now)
    this.slots = new PolicySlots(native, this.sandboxes, loadAddon().gracePeriod)
  }

  putPolicy(slot: number, policy: BpfPolicy): readonly Unenforced[] {
    return this.slots.put(slot, policy)
  }

  swap(sandbox: bigint, slot: number): number {
    this.slots.mustHold(slot)
    return this.sandboxes.swap(sandbox, slot)
  }

  remove(sandbox: bigint): void {
    this.sandboxes.remove(sandbox)
  }

  counters(sandbox: bigint): SandboxCounters {
    return this.sandboxes.counters(sandbox)
  }

  events(most = 4096): readonly BpfEvent[] {
    if (!Number.isSafeInteger(most) || most < 1) throw new BpfMisuseError(`${most} events: expected 1 or more`)
    return calling(() => this.native.drain(most)).flatMap((record) => readEvent(record) ?? [])
  }

  close(): void {
    this.native.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
