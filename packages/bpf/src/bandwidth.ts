import { closeSync, constants, openSync } from 'node:fs'
import type { SocketMark } from '@pyisolate/interface'
import type { CgroupMeter } from './cgroup.js'
import { BpfError } from './errors/bpf-error.js'
import { BpfMisuseError } from './errors/misuse-error.js'
import { UnsupportedError } from './errors/unsupported-error.js'
import { type LimitEvent, readLimitEvent } from './events.js'
import { calling, loadAddon, type NativePrograms, objectFile } from './internal/addon.js'
import { encode, layouts, sandboxCount, words } from './internal/layout.js'
import { opening } from './internal/opening.js'
import { ownGroup } from './internal/own-group.js'
import { rateOf, usageAt } from './internal/rates.js'

/** Atomic compare-and-exchange in BPF came last of what is used (kernel commit 5ffa25502b5a). */
export const bandwidthRequirement = {
  feature: 'bpf-bandwidth',
  minimumKernel: '5.12',
  instead: 'nothing: a strict policy that limits bandwidth is refused',
} as const

/** Bytes a second, of IP packets with their headers; none: no limit. */
export interface BandwidthLimits {
  readonly bytesInPerSecond?: number | undefined
  readonly bytesOutPerSecond?: number | undefined
}

export interface BandwidthOptions {
  /**
   * The folder of a control group (v2), for what makes the sockets. Default: this process's own group. What makes
   * sockets must not be moved out of it afterwards: they would not be seen.
   */
  readonly group?: string
}

/**
 * Programs on packets that hold the sockets of a sandbox, all of them together, to a limit in each direction. A socket is
 * known by its mark: whoever makes it stores `mark` in it before anybody sends by it. What a listener accepts has the
 * listener's. Of Internet sockets only: packets of Unix sockets pass no such program.
 */
export interface BandwidthPrograms extends Disposable {
  /** Begins at nothing. @throws BpfMisuseError, BpfError */
  add(sandbox: bigint, limits: BandwidthLimits): void
  /** From the next packet on. @throws BpfMisuseError, BpfError */
  change(sandbox: bigint, limits: BandwidthLimits): void
  mark(sandbox: bigint): SocketMark
  traffic(sandbox: bigint): CgroupMeter
  /**
   * What is left of its sockets is held to its last limits, and carries nothing once its place is another's: of 4,096
   * places, the one that was left longest ago is the next.
   */
  remove(sandbox: bigint): void
  /** Limits that were reached since the last call; at most `most`. */
  events(most?: number): readonly LimitEvent[]
  /** Calls `listener` soon after events have come, until `close`. It keeps no event loop alive. */
  watch(listener: () => void): void
  close(): void
}

/** Loads and attaches the programs, and sees a packet pass them. @throws UnsupportedError, BpfMisuseError, BpfError */
export function loadBandwidth({ group = ownGroup(bandwidthRequirement) }: BandwidthOptions = {}): BandwidthPrograms {
  const addon = loadAddon()
  const native = opening(bandwidthRequirement, () => new addon.Programs(objectFile('bandwidth'), []))
  try {
    attach(native, group)
    const bandwidth = new Bandwidth(native)
    tryOut(bandwidth, native, group)
    return bandwidth
  } catch (error) {
    native.close()
    throw error
  }
}

function attach(native: NativePrograms, group: string): void {
  const folder = (why: string) =>
    new BpfMisuseError(`${group} (${why}): expected the folder of a control group, version 2`)
  let descriptor: number
  try {
    descriptor = openSync(group, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    throw folder((error as NodeJS.ErrnoException).code ?? String(error))
  }
  try {
    for (const program of ['in', 'out'])
      opening(bandwidthRequirement, () => native.attachCgroup(`pyi_socket_${program}`, descriptor))
  } catch (error) {
    // What the kernel says of a folder that is none.
    throw BpfError.isInstance(error) && error.error === 'EBADF' ? folder('EBADF') : error
  } finally {
    closeSync(descriptor)
  }
}

/** Of no sandbox: a packet of ours, both ways, before any is relied on. @throws UnsupportedError, BpfError */
function tryOut(bandwidth: Bandwidth, native: NativePrograms, group: string): void {
  const trial = (1n << 64n) - 1n
  bandwidth.add(trial, {})
  const { value } = bandwidth.mark(trial)
  calling(() => native.sendToItself(value))
  const { bytesIn, bytesOut } = bandwidth.traffic(trial)
  bandwidth.remove(trial)
  if (bytesIn > 0n && bytesOut > 0n) return
  const { feature, ...requirement } = bandwidthRequirement
  throw new UnsupportedError(feature, `the sockets of this process pass no program of ${group}`, requirement)
}

class Bandwidth implements BandwidthPrograms {
  readonly #native: NativePrograms
  readonly #known = new Map<bigint, number>()
  /** Used last is used again last. */
  readonly #free = Array.from({ length: sandboxCount }, (_, i) => i)

  constructor(native: NativePrograms) {
    this.#native = native
  }

  add(sandbox: bigint, limits: BandwidthLimits): void {
    if (sandbox <= 0n || sandbox >= 1n << 64n) throw new BpfMisuseError(`sandbox ${sandbox}: expected 1 to 2^64 - 1`)
    if (this.#known.has(sandbox)) throw new BpfMisuseError(`there is a sandbox ${sandbox} already: change its limits`)
    const value = limitsValue(sandbox, limits)
    const index = this.#free.shift()
    if (index === undefined) throw new BpfMisuseError(`there are ${sandboxCount} sandboxes already: remove some`)
    try {
      calling(() => {
        // First: sockets of whoever had the place carry nothing from here on.
        this.#native.update('bandwidths', words(index), value)
        this.#native.update('traffics', words(index), encode('pyi_traffic', {}))
      })
    } catch (error) {
      this.#free.unshift(index)
      throw error
    }
    this.#known.set(sandbox, index)
  }

  change(sandbox: bigint, limits: BandwidthLimits): void {
    const index = this.#index(sandbox)
    const value = limitsValue(sandbox, limits)
    calling(() => this.#native.update('bandwidths', words(index), value))
  }

  mark(sandbox: bigint): SocketMark {
    const value = encode('pyi_socket', { sandbox, index: this.#index(sandbox) })
    return { map: calling(() => this.#native.mapDescriptor('sockets')), value }
  }

  traffic(sandbox: bigint): CgroupMeter {
    const index = this.#index(sandbox)
    const record = calling(() => this.#native.lookup('traffics', words(index)))
    const { in: into, out } = layouts.pyi_traffic.fields
    const [received, sent] = [usageAt(record, into[0]), usageAt(record, out[0])]
    return { bytesIn: received.bytes, bytesOut: sent.bytes, droppedIn: received.dropped, droppedOut: sent.dropped }
  }

  remove(sandbox: bigint): void {
    this.#free.push(this.#index(sandbox))
    this.#known.delete(sandbox)
  }

  events(most = 1024): readonly LimitEvent[] {
    return calling(() => this.#native.drain(most)).flatMap((record) => readLimitEvent(record) ?? [])
  }

  watch(listener: () => void): void {
    calling(() => this.#native.watch(listener))
  }

  close(): void {
    this.#native.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #index(sandbox: bigint): number {
    const index = this.#known.get(sandbox)
    if (index === undefined) throw new BpfMisuseError(`there is no sandbox ${sandbox}: add it first`)
    return index
  }
}

function limitsValue(sandbox: bigint, { bytesInPerSecond, bytesOutPerSecond }: BandwidthLimits): Buffer {
  return encode('pyi_bandwidth', { sandbox, in: rateOf(bytesInPerSecond), out: rateOf(bytesOutPerSecond) })
}
