import { type Cell, type CellExit, DeadlineSlot, type Frame, FrameType, type LimitReached } from '@pyisolate/interface'
import type { GuestError } from '../../errors/guest-error.js'
import { SandboxClosedError } from '../../errors/sandbox-closed-error.js'
import type { HostFunction } from '../../options.js'
import type { Outcome } from '../../outcome.js'
import type { Value } from '../../value.js'
import { type ExitFrame, exitBudget, readExit } from '../frames/exit.js'
import { errorBudget, readGuestError, readLimit } from '../frames/guest-error.js'
import type { SettledCall } from '../options/call-options.js'
import { budgetOf, type SettledLimits } from '../options/limits.js'
import { decodeValue } from '../values/decode.js'
import { MalformedError, malformed } from '../values/malformed-error.js'
import { CallQueue } from './call-queue.js'
import { decideOutcome } from './decide-outcome.js'
import { HostCalls } from './host-calls.js'
import { Inbox } from './inbox.js'
import { type LimitName, type LimitNotice, limitThatEnded, seenOf } from './limit-notice.js'
import { LimitPace } from './limit-pace.js'
import { Output } from './output.js'
import { Reason } from './reason.js'

/** How long a sandbox has to end by itself, in milliseconds; then it is killed. */
const closeGrace = 200

export interface SessionInit {
  readonly name: string
  readonly limits: SettledLimits
  readonly functions: ReadonlyMap<string, HostFunction>
  onLimit(notice: LimitNotice): void
}

/** One sandbox from this side: takes its frames apart, believes none of them, and knows how it ended. */
export class Session {
  readonly name: string
  readonly limits: SettledLimits
  readonly stdout = new Output()
  readonly stderr = new Output()
  readonly inbox: Inbox
  readonly calls: CallQueue
  readonly closed: Promise<Outcome>
  #resolveClosed!: (outcome: Outcome) => void
  readonly #hostCalls: HostCalls
  readonly #onLimit: (notice: LimitNotice) => void
  readonly #limitPace = new LimitPace()
  /** Limits that were met during the running call. */
  readonly #met = new Set<LimitName>()
  #cell: Cell | undefined
  #phase: 'running' | 'closing' | 'closed' = 'running'
  /** Nothing more is read from it: it said `exit`, or was killed for what it sent. */
  #deaf = false
  #exitFrame: ExitFrame | undefined
  #protocol: string | undefined
  #pendingKill: string | undefined
  #outputBytes = 0
  #drained: (() => void)[] = []
  /** Of the running call, on `performance`'s clock. */
  #callEndsAt = Number.POSITIVE_INFINITY
  #overdraftTimer: NodeJS.Timeout | undefined

  constructor({ name, limits, functions, onLimit }: SessionInit) {
    this.name = name
    this.#onLimit = onLimit
    this.limits = limits
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    const budget = budgetOf(limits)
    this.#hostCalls = new HostCalls(functions, budget, (type, id, payload) => {
      if (this.#phase !== 'closed') this.#cell?.send(type, id, payload)
    })
    this.inbox = new Inbox(budget, limits.unread, {
      pause: () => this.#pause(),
      resume: () => this.#cell?.resume(),
      malformed: (error) => this.#misbehaved(error),
      ended: () => this.ended(),
    })
    this.calls = new CallQueue({
      name,
      send: (type, id, payload) => this.#cell?.send(type, id, payload),
      setDeadline: (soft, hard, reason) => this.#cell?.setDeadline(DeadlineSlot.call, soft, hard, reason),
      interrupt: () => {
        this.inbox.allowOverdraft()
        this.#cell?.interrupt()
      },
      started: (timeout) => this.#callStarted(timeout),
      settled: () => this.#callSettled(),
      late: () => this.reached('callTime', 'KeyboardInterrupt'),
      explainTimeout: () =>
        this.inbox.full
          ? `; its post() was waiting for the host to receive (limits.unread: ${limits.unread} bytes)`
          : '',
    })
  }

  get cell(): Cell | undefined {
    return this.#cell
  }
  get outputBytes(): number {
    return this.#outputBytes
  }
  get state(): 'running' | 'busy' | 'closing' | 'closed' {
    return this.#phase === 'running' && this.calls.busy ? 'busy' : this.#phase
  }

  /** The engine has it running. Frames may have come before. */
  begin(cell: Cell): void {
    this.#cell = cell
    if (this.#pendingKill !== undefined) cell.kill(this.#pendingKill)
    const { wallTime, cpuTime } = this.limits
    if (Number.isFinite(wallTime)) {
      cell.setDeadline(DeadlineSlot.sandbox, Number.POSITIVE_INFINITY, wallTime, Reason.wallTime(wallTime))
    }
    if (Number.isFinite(cpuTime)) cell.setCpuLimit(cpuTime)
    if (this.inbox.full) cell.pause()
  }

  request(type: FrameType, payload: Uint8Array, call: SettledCall): Promise<Value> {
    return this.#phase === 'running' ? this.calls.add(type, payload, call) : this.ended()
  }

  /** Resolves when there is room for more. */
  async send(payload: Uint8Array): Promise<void> {
    if (this.#phase !== 'running') return this.ended()
    if (this.#cell!.send(FrameType.message, 0, payload)) return
    await new Promise<void>((resolve) => this.#drained.push(resolve))
    if (this.state === 'closed') return this.ended()
  }

  interrupt(): void {
    if (this.#phase === 'running' && this.calls.busy) this.#cell?.interrupt()
  }

  close(): Promise<Outcome> {
    if (this.#phase === 'running') {
      this.#phase = 'closing'
      this.inbox.drain()
      if (this.calls.busy) this.#cell?.interrupt()
      // Its result comes by onExit as well.
      this.#cell?.end(closeGrace).catch(() => {})
    }
    return this.closed
  }

  /** Rejects once the sandbox has ended, saying how. */
  async ended(): Promise<never> {
    throw new SandboxClosedError(this.name, await this.closed)
  }

  /** It broke a contract that demands its end. */
  breach(contract: string): void {
    if (this.#phase !== 'closed') this.#kill(Reason.contract(contract))
  }

  /** A limit that this side counts, and what the guest sees of it. */
  reached(limit: LimitName, seen: string | undefined): void {
    this.#tell({ limit, seen, lost: 0, toldBy: 'supervisor' })
  }

  /** What the engine sees of a limit. */
  readonly onLimit = ({ limit, lost, toldBy }: LimitReached): void => {
    if (this.#phase === 'closed') return
    this.#met.add(limit)
    this.#tell({ limit, seen: limit === 'cpu' ? undefined : seenOf[limit], lost, toldBy })
  }

  #tell(notice: LimitNotice): void {
    const told = this.#limitPace.take(notice)
    if (told !== undefined) this.#onLimit(told)
  }

  readonly onDrain = (): void => {
    const waiting = this.#drained
    this.#drained = []
    for (const resolve of waiting) resolve()
  }

  readonly onCorrupt = (detail: string): void => this.#misbehaved(new MalformedError(detail))

  readonly onExit = (exit: CellExit): void => {
    if (this.#phase === 'closed') return
    const closing = this.#phase === 'closing'
    this.#phase = 'closed'
    this.#deaf = true
    clearTimeout(this.#overdraftTimer)
    const { name, limits } = this
    const outcome = decideOutcome({ name, exit, exitFrame: this.#exitFrame, protocol: this.#protocol, closing, limits })
    this.#resolveClosed(outcome)
    this.calls.close(outcome)
    this.inbox.close()
    this.stdout.end()
    this.stderr.end()
    this.onDrain()
    const notice = limitThatEnded(outcome, exit)
    if (notice !== undefined) this.#onLimit(notice)
  }

  readonly onFrame = (frame: Frame): void => {
    if (this.#deaf) return
    try {
      this.#dispatch(frame)
    } catch (error) {
      this.#misbehaved(error)
    }
  }

  #dispatch({ type, id, payload }: Frame): void {
    const budget = budgetOf(this.limits)
    switch (type) {
      case FrameType.result:
        this.calls.answer(id, () => ({ value: decodeValue(payload, budget) }))
        break
      case FrameType.error:
        this.calls.answer(id, () => this.#readError(decodeValue(payload, errorBudget(budget))))
        break
      case FrameType.post:
        if (this.inbox.posted < this.limits.messages) this.inbox.push(payload)
        else this.#kill(Reason.messages(this.limits.messages))
        break
      case FrameType.out:
        this.#print(this.stdout, payload)
        break
      case FrameType.err:
        this.#print(this.stderr, payload)
        break
      case FrameType.hostCall:
        this.#hostCalls.handle(id, payload)
        break
      case FrameType.exit:
        this.#exitFrame = readExit(decodeValue(payload, exitBudget))
        this.#deaf = true
        // It has nothing more to say; what it still does is bounded.
        this.#cell?.setDeadline(DeadlineSlot.call, Number.POSITIVE_INFINITY, closeGrace, Reason.closed)
        break
      default:
        malformed(`a frame of the unknown type ${type}`)
    }
  }

  #readError(value: Value): { error: GuestError } {
    const error = readGuestError(value)
    const limit = readLimit(value)
    // As a rule it was counted where it became an exception; code of other files, and raw memory, isn't.
    if (limit !== undefined && !this.#met.has(limit))
      this.#tell({ limit, seen: seenOf[limit], lost: 0, toldBy: 'guest' })
    return { error }
  }

  #print(output: Output, payload: Uint8Array): void {
    const room = this.limits.output - this.#outputBytes
    this.#outputBytes += payload.length
    output.push(payload.length <= room ? payload : payload.subarray(0, Math.max(0, room)))
    if (payload.length > room) this.#kill(Reason.output(this.limits.output))
  }

  /** Ends a sandbox that sent what it must not; for an error of our own as well, which is not its fault. */
  #misbehaved(error: unknown): void {
    if (this.#phase === 'closed') return
    const detail = error instanceof Error ? error.message : String(error)
    if (error instanceof MalformedError) this.#protocol ??= detail
    this.#kill(error instanceof MalformedError ? Reason.protocol(detail) : Reason.internal(detail))
  }

  #kill(reason: string): void {
    this.#deaf = true
    this.#pendingKill ??= reason
    this.#cell?.kill(reason)
  }

  #pause(): void {
    this.#cell?.pause()
    this.#watchHeldUpCall()
  }

  #callStarted(timeout: number): void {
    this.#met.clear()
    this.#callEndsAt = performance.now() + timeout
    this.#watchHeldUpCall()
  }

  /** While paused, not even the answer to the interrupt at the call's deadline could be read. */
  #watchHeldUpCall(): void {
    clearTimeout(this.#overdraftTimer)
    if (!this.inbox.full || !Number.isFinite(this.#callEndsAt)) return
    const left = Math.max(0, this.#callEndsAt - performance.now())
    this.#overdraftTimer = setTimeout(() => this.inbox.allowOverdraft(), Math.ceil(left))
    this.#overdraftTimer.unref()
  }

  #callSettled(): void {
    this.#callEndsAt = Number.POSITIVE_INFINITY
    clearTimeout(this.#overdraftTimer)
    if (this.#phase === 'running') this.inbox.settle()
  }
}
