import type { Attachment, Enforcer, EnforcerEvent, KernelPolicy, Prepared, SandboxTarget } from '@pyisolate/interface'
import { BpfMisuseError } from './errors/misuse-error.js'
import type { BpfEvent } from './events.js'
import { slotCount } from './internal/layout.js'
import { RestOfProcesses } from './internal/rest-of-processes.js'
import { type LsmPrograms, loadLsm } from './lsm.js'
import type { Unenforced } from './policy.js'

/**
 * BPF LSM as an enforcer, for `createSupervisor({ enforcers: [bpfLsm()] })`. The programs are loaded with the first
 * policy; `prepare` throws an UnsupportedError where the kernel or a missing capability forbids them.
 */
export function bpfLsm(): Enforcer {
  return new LsmEnforcer()
}

const lsmSections = [
  'fs.read',
  'fs.write',
  'fs.exec',
  'fs.deny',
  'net.connect',
  'net.bind',
  'net.sendto',
  'net.deny',
  'contracts',
] as const

/** A policy in its slot, shared by whoever prepared the same. */
interface Slot {
  readonly number: number
  readonly policy: KernelPolicy
  readonly unenforced: readonly Unenforced[]
  users: number
}

interface Sandbox {
  readonly target: SandboxTarget
  generation: number
}

/** Allows nothing. */
const nothing: KernelPolicy = { files: [], nets: [], unixes: [], contractPaths: [] }

class LsmEnforcer implements Enforcer {
  readonly name = 'bpf-lsm'
  readonly keeps = new Set(lsmSections)
  readonly #slots = new Map<KernelPolicy, Slot>()
  /** Freed last is filled last: what still looks at a slot has the longest time to end. */
  readonly #free = Array.from({ length: slotCount - 1 }, (_, i) => i + 1)
  readonly #sandboxes = new Map<bigint, Sandbox>()
  readonly #rest = new RestOfProcesses({
    label: (process, sandbox, slot) => this.#programs().labelRest(process, { sandbox, slot, brokered: true }),
    forget: (sandbox) => this.#lsm?.forget(sandbox),
    number: () => ++this.#last,
    slot: () => this.#use(nothing),
  })
  #lsm: LsmPrograms | undefined
  #last = 0n
  #closed = false

  prepare(policy: KernelPolicy): Prepared {
    const { slot, leave } = this.#use(policy)
    return new PreparedSlot(slot, { attach: (target) => this.#attach(slot, target), dispose: leave })
  }

  #use(policy: KernelPolicy): { slot: Slot; leave(): void } {
    const slot = this.#slots.get(policy) ?? this.#fill(policy)
    slot.users++
    return { slot, leave: () => this.#leave(slot) }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#lsm?.close()
    this.#lsm = undefined
    this.#sandboxes.clear()
    this.#slots.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #programs(): LsmPrograms {
    if (this.#closed) throw new BpfMisuseError('the enforcer is closed: make another one')
    if (this.#lsm === undefined) {
      this.#lsm = loadLsm()
      this.#lsm.watch(() => this.#drain())
    }
    return this.#lsm
  }

  #fill(policy: KernelPolicy): Slot {
    const lsm = this.#programs()
    const number = this.#free.shift()
    if (number === undefined)
      throw new BpfMisuseError(`there are ${slotCount - 1} policies in force already: share them, or close sandboxes`)
    try {
      const slot = { number, policy, unenforced: lsm.putPolicy(number, policy), users: 0 }
      this.#slots.set(policy, slot)
      return slot
    } catch (error) {
      this.#free.push(number)
      throw error
    }
  }

  #leave(slot: Slot): void {
    slot.users--
    if (slot.users > 0 || this.#closed) return
    this.#slots.delete(slot.policy)
    this.#free.push(slot.number)
  }

  #attach(slot: Slot, target: SandboxTarget): Attachment {
    const lsm = this.#programs()
    const sandbox = ++this.#last
    let rest: { leave(): void } | undefined
    try {
      // A sandbox with a policy is behind the engine's broker.
      lsm.label(target.thread, { sandbox, slot: slot.number, brokered: true })
      rest = this.#rest.join(sandbox, target.thread)
    } catch (error) {
      lsm.forget(sandbox)
      throw error
    }
    const entry: Sandbox = { target, generation: 1 }
    this.#sandboxes.set(sandbox, entry)
    let counted: Readonly<Record<string, bigint>> = {}
    const live = (): boolean => this.#sandboxes.get(sandbox) === entry
    return {
      socketMark: lsm.mark(sandbox),
      update: (next) => {
        if (!live()) return 0
        entry.generation = lsm.swap(sandbox, slotOf(next))
        return entry.generation
      },
      counters: () => {
        if (live()) counted = named(lsm.counters(sandbox))
        return counted
      },
      [Symbol.dispose]: () => {
        if (!live()) return
        counted = named(lsm.counters(sandbox))
        this.#drain() // its last denials are told before it is forgotten
        this.#sandboxes.delete(sandbox)
        lsm.remove(sandbox)
        rest?.leave()
      },
    }
  }

  #drain(): void {
    for (let events = this.#events(); events.length > 0; events = this.#events())
      for (const event of events) this.#tell(event)
  }

  #events(): readonly BpfEvent[] {
    return this.#lsm?.events() ?? []
  }

  #tell(event: BpfEvent): void {
    const sandbox = this.#sandboxes.get(this.#rest.neighbourOf(event.sandbox) ?? event.sandbox)
    sandbox?.target.onEvent(event.kind === 'denied' ? denial(event) : breach(event, sandbox.generation))
  }
}

function denial(event: Extract<BpfEvent, { kind: 'denied' }>): EnforcerEvent {
  const { operation, object, rule, generation, error, lost } = event
  return { operation, object, rule, generation, error, lost, kill: false }
}

/** Contracts are numbered like rules; their events don't say of which generation they are. */
function breach({ hook, rule, action }: Extract<BpfEvent, { kind: 'contract' }>, generation: number): EnforcerEvent {
  const error = action === 'log' ? undefined : 'EPERM'
  return { operation: hook, object: '', rule, generation, error, lost: 0, kill: action === 'kill' }
}

function named(counters: ReturnType<LsmPrograms['counters']>) {
  const { opens, connects, sends, bytesSent, bytesReceived, denied, lost } = counters
  return { opens, connects, sends, bytes_sent: bytesSent, bytes_received: bytesReceived, denied, lost }
}

interface PreparedPort {
  attach(target: SandboxTarget): Attachment
  dispose(): void
}

class PreparedSlot implements Prepared {
  readonly slot: Slot
  readonly #port: PreparedPort
  #disposed = false

  constructor(slot: Slot, port: PreparedPort) {
    this.slot = slot
    this.#port = port
  }

  get unenforced(): readonly Unenforced[] {
    return this.slot.unenforced
  }

  attach(target: SandboxTarget): Attachment {
    return this.#port.attach(target)
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#port.dispose()
  }
}

function slotOf(prepared: Prepared): number {
  if (!(prepared instanceof PreparedSlot)) throw new BpfMisuseError('this policy was prepared by another enforcer')
  return prepared.slot.number
}
