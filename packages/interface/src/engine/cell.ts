import type { CellPlaces } from './broker.js'
import type { Enforcement } from './enforcement.js'
import type { SocketMark } from './enforcer.js'
import type { FrameType } from './frame.js'
import type { CellServices } from './services.js'

/** How a sandbox ended, as the operating system and the engine saw it. Reported once, after its last frame. */
export interface CellExit {
  /** Exit status of the process; `null` when a signal ended it. In a shared cell, the sandbox's own. */
  readonly code: number | null
  /** Number of the signal that ended the process. */
  readonly signal: number | null
  /** The first reason given to `kill()` or to a deadline or CPU limit that struck; `null` when the sandbox ended by itself. */
  readonly killedBy: string | null
  /**
   * Set when a shared cell (interpreter isolation) died and took this sandbox along. `culprit` is the name of
   * the sandbox on whose account the cell was killed, if there was one.
   */
  readonly cell?: { readonly name: string; readonly culprit: string | null }
  /** CPU time of the process in milliseconds, by the kernel's account at its end. Zero in a shared cell. */
  readonly userMs: number
  readonly systemMs: number
  /** Peak resident set of the process in KiB. */
  readonly maxRssKiB: number
}

export interface CellUsage {
  /** CPU time used so far, in milliseconds. */
  readonly cpuMs: number
  /** Resident, and private (neither shared nor copy-on-write), memory in KiB. */
  readonly rssKiB: number
  readonly privateKiB: number
}

/** Deadlines of one sandbox run side by side, one per slot. */
export const DeadlineSlot = Object.freeze({ call: 0, sandbox: 1 } as const)
export type DeadlineSlot = (typeof DeadlineSlot)[keyof typeof DeadlineSlot]

/**
 * One running sandbox, as its engine drives it. No method throws because the sandbox is gone: after its
 * exit they do nothing, `send` returns true and `usage` zeros.
 */
export interface Cell {
  /** The process, as this side's pid namespace numbers it. Sandboxes of a shared cell have the same. */
  readonly pid: number
  /**
   * The first thread of the sandbox, as this side's pid namespace numbers it: what it starts inherits what is attached
   * to that one. In a process of its own that is `pid`. Absent: enforcers can't attach to it.
   */
  readonly thread?: number | undefined
  readonly enforcement: Enforcement
  /**
   * Queues a frame; it is never dropped while the sandbox lives. The payload is copied or must not change.
   * `false` asks the caller to wait for `onDrain` before sending more.
   */
  send(type: FrameType, id: number, payload: Uint8Array): boolean
  /** Stops delivering the sandbox's frames; its writes block once the ring is full. Exit is still reported. */
  pause(): void
  resume(): void
  /** Raises `KeyboardInterrupt` in the running guest code; may be ignored by it. */
  interrupt(): void
  /**
   * Kept by a clock of the engine, not by the event loop: after `softMs` an interrupt (none if `Infinity`),
   * after `hardMs` an end like `kill(reason)`. Both from now, in milliseconds; `Infinity` twice clears the slot.
   */
  setDeadline(slot: DeadlineSlot, softMs: number, hardMs: number, reason: string): void
  /** Ends the sandbox with `killedBy: 'cpu'` once it has used this many milliseconds of CPU time. */
  setCpuLimit(ms: number): void
  /** Changes its share of the CPU, in processors, where it was spawned with one. */
  setCpuShare?(processors: number): void
  usage(): CellUsage
  /**
   * Of a brokered sandbox: puts another table in force by one store; a call is decided by the old one or the new one.
   * Returns its generation, or 0 when the sandbox is gone. @throws TypeError for bytes that are no table
   */
  setTable?(table: Uint8Array): number
  /** Of a brokered sandbox: rules on `name` fit `address` from now on, as the guest was told so. */
  learnName?(address: string, name: string): void
  /**
   * Of a brokered sandbox, before its first line: every socket that it gets from here on has these, or it gets
   * none. Where `BrokerRequest.marksSockets` is set, there is no socket before. @throws TypeError for what is no mark
   */
  markSockets?(marks: readonly SocketMark[]): void
  /** Where its standard library is. Absent: the engine can't serve tables. */
  readonly places?: CellPlaces
  /** What the engine does for the guest, if it can. @throws IoUnavailableError */
  readonly services?: CellServices
  /**
   * Asks the sandbox to end in good order, and ends it by force after `graceMs` (`killedBy: 'closed'`).
   * In a shared cell it is first interrupted for good; the whole cell dies if that doesn't help.
   */
  end(graceMs: number): Promise<CellExit>
  /** Ends it now, by force. In a shared cell the sandbox alone if it can be, else the cell. */
  kill(reason: string): void
}
