import type { Attachment, Enforcer, KernelPolicy, Prepared, SandboxTarget } from '@pyisolate/interface'
import { type BandwidthLimits, type BandwidthOptions, type BandwidthPrograms, loadBandwidth } from './bandwidth.js'
import { BpfMisuseError } from './errors/misuse-error.js'

/**
 * `limits.bandwidthIn` and `bandwidthOut` of policies, for `createSupervisor({ enforcers: [bpfBandwidth()] })`. The
 * programs are loaded with the first policy; `prepare` throws an UnsupportedError where the kernel or a missing
 * capability forbids them. Counts `bytes_in`, `bytes_out`, `dropped_in` and `dropped_out`: bytes of IP packets.
 */
export function bpfBandwidth(options: BandwidthOptions = {}): Enforcer {
  return new BandwidthEnforcer(options)
}

class BandwidthEnforcer implements Enforcer {
  readonly name = 'bpf-bandwidth'
  readonly keeps = new Set(['limits.bandwidthIn', 'limits.bandwidthOut'] as const)
  readonly #options: BandwidthOptions
  readonly #sandboxes = new Set<bigint>()
  #programs: BandwidthPrograms | undefined
  #last = 0n
  #closed = false

  constructor(options: BandwidthOptions) {
    this.#options = options
  }

  prepare(policy: KernelPolicy): Prepared {
    if (this.#closed) throw new BpfMisuseError('the enforcer is closed: make another one')
    this.#programs ??= loadBandwidth(this.#options)
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

  #attach(programs: BandwidthPrograms, limits: BandwidthLimits, _target: SandboxTarget): Attachment {
    const sandbox = ++this.#last
    programs.add(sandbox, limits)
    this.#sandboxes.add(sandbox)
    let generation = 1
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
        generation += 1
        return generation
      },
      counters,
      [Symbol.dispose]: () => {
        if (!live()) return
        counters()
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
