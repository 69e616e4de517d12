import type { Attachment, Enforcer, KernelPolicy, Prepared, SandboxTarget } from '@pyisolate/interface'
import { type BandwidthLimits, type BandwidthOptions, type BandwidthPrograms, loadBandwidth } from './bandwidth.js'
import { BpfMisuseError } from './errors/misuse-error.js'

/**
 * `limits.bandwidthIn` and `bandwidthOut` of policies, for `createSupervisor({ enforcers: [bpfBandwidth()] })`. The
 * programs are loaded with the first policy; `prepare` throws an UnsupportedError where the kernel or a missing
 * capability forbids them. Tells of a limit that was reached, once a second at most. Counts `bytes_in`, `bytes_out`,
 * `dropped_in` and `dropped_out`: bytes of IP packets.
 */
export function bpfBandwidth(options: BandwidthOptions = {}): Enforcer {
  return new BandwidthEnforcer(options)
}

interface Held {
  readonly target: SandboxTarget
  generation: number
}

class BandwidthEnforcer implements Enforcer {
  readonly name = 'bpf-bandwidth'
  readonly keeps = new Set(['limits.bandwidthIn', 'limits.bandwidthOut'] as const)
  readonly #options: BandwidthOptions
  readonly #sandboxes = new Map<bigint, Held>()
  #programs: BandwidthPrograms | undefined
  #last = 0n
  #closed = false

  constructor(options: BandwidthOptions) {
    this.#options = options
  }

  prepare(policy: KernelPolicy): Prepared {
    if (this.#closed) throw new BpfMisuseError('the enforcer is closed: make another one')
    this.#programs ??= this.#load()
    const programs = this.#programs
    return new PreparedLimits(limitsOf(policy), (limits, target) => this.#attach(programs, limits, target))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#sandboxes.clear()
    this.#programs?.close()
    this.#programs = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #load(): BandwidthPrograms {
    const programs = loadBandwidth(this.#options)
    programs.watch(() => this.#drain())
    return programs
  }

  #drain(): void {
    const next = () => this.#programs?.events() ?? []
    for (let events = next(); events.length > 0; events = next())
      for (const { sandbox, limit, lost } of events) {
        const held = this.#sandboxes.get(sandbox)
        // Nobody is given an errno: TCP slows down, UDP loses.
        const told = { operation: 'limit', object: limit, rule: undefined, error: undefined, lost, kill: false }
        held?.target.onEvent({ ...told, generation: held.generation })
      }
  }

  #attach(programs: BandwidthPrograms, limits: BandwidthLimits, target: SandboxTarget): Attachment {
    const sandbox = ++this.#last
    programs.add(sandbox, limits)
    const held: Held = { target, generation: 1 }
    this.#sandboxes.set(sandbox, held)
    let counted: Readonly<Record<string, bigint>> = {}
    const live = (): boolean => this.#sandboxes.has(sandbox)
    const counters = (): Readonly<Record<string, bigint>> => {
      if (live()) counted = named(programs.traffic(sandbox))
      return counted
    }
    return {
      socketMark: programs.mark(sandbox),
      update: (next) => {
        if (!live()) return 0
        programs.change(sandbox, limitsIn(next))
        held.generation += 1
        return held.generation
      },
      counters,
      [Symbol.dispose]: () => {
        if (!live()) return
        counters()
        this.#drain() // what was reached last is told before it is forgotten
        this.#sandboxes.delete(sandbox)
        programs.remove(sandbox)
      },
    }
  }
}

/** A policy that only logs limits nothing; it counts. */
function limitsOf({ bandwidth, logOnly }: KernelPolicy): BandwidthLimits {
  return logOnly === true ? {} : { bytesInPerSecond: bandwidth?.in, bytesOutPerSecond: bandwidth?.out }
}

function named({ bytesIn, bytesOut, droppedIn, droppedOut }: ReturnType<BandwidthPrograms['traffic']>) {
  return { bytes_in: bytesIn, bytes_out: bytesOut, dropped_in: droppedIn, dropped_out: droppedOut }
}

class PreparedLimits implements Prepared {
  readonly unenforced = []
  readonly limits: BandwidthLimits
  readonly #attach: (limits: BandwidthLimits, target: SandboxTarget) => Attachment

  constructor(limits: BandwidthLimits, attach: (limits: BandwidthLimits, target: SandboxTarget) => Attachment) {
    this.limits = limits
    this.#attach = attach
  }

  attach(target: SandboxTarget): Attachment {
    return this.#attach(this.limits, target)
  }

  /** It holds nothing of the kernel's. */
  [Symbol.dispose](): void {}
}

function limitsIn(prepared: Prepared): BandwidthLimits {
  if (!(prepared instanceof PreparedLimits)) throw new BpfMisuseError('this policy was prepared by another enforcer')
  return prepared.limits
}
