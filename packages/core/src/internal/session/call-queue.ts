import { type FrameType, INIT_ID } from '@pyisolate/interface'
import type { GuestError } from '../../errors/guest-error.js'
import { SandboxClosedError } from '../../errors/sandbox-closed-error.js'
import { TimeoutError } from '../../errors/timeout-error.js'
import type { Outcome } from '../../outcome.js'
import type { Value } from '../../value.js'
import { onAbort } from '../abort.js'
import type { SettledCall } from '../options/call-options.js'
import { malformed } from '../values/malformed-error.js'
import { Fifo } from './fifo.js'
import { Reason } from './reason.js'

/** How long an interrupted guest has to come back, in milliseconds. */
export const interruptGrace = 100

export interface CallPort {
  readonly name: string
  send(type: FrameType, id: number, payload: Uint8Array): void
  /** See `Cell.setDeadline`; `Infinity` twice clears. */
  setDeadline(softMs: number, hardMs: number, reason: string): void
  interrupt(): void
  /** A call starts or ends; it has this long. */
  started(timeout: number): void
  settled(): void
  /** A call came back, too late. */
  late(): void
  /** Appended to the message of a timeout: what the guest was held up by, if this side knows. */
  explainTimeout(): string
}

interface Call extends SettledCall {
  readonly type: FrameType
  readonly payload: Uint8Array
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
  stopListening: () => void
  startedAt: number
}

export type Answer = { readonly value: Value } | { readonly error: GuestError }

/** Two clocks don't agree on the millisecond: an interrupt that comes just before the deadline is its doing. */
const clockNoise = 2

function isLate({ startedAt, timeout }: Call, answer: Answer): boolean {
  const elapsed = performance.now() - startedAt
  if (elapsed >= timeout) return true
  const interrupted = 'error' in answer && answer.error.type === 'KeyboardInterrupt'
  return interrupted && elapsed >= timeout - clockNoise
}

/** `exec`, `eval` and `call`: one runs at a time, the others wait their turn on this side. */
export class CallQueue {
  readonly #port: CallPort
  readonly #waiting = new Fifo<Call>()
  #running: { call: Call; id: number } | undefined
  #lastId = INIT_ID
  #completed = 0

  constructor(port: CallPort) {
    this.#port = port
  }

  get busy(): boolean {
    return this.#running !== undefined
  }
  /** Calls that wait; aborted ones count until their turn. */
  get queued(): number {
    return this.#waiting.size
  }
  get completed(): number {
    return this.#completed
  }

  add(type: FrameType, payload: Uint8Array, { signal, timeout }: SettledCall): Promise<Value> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const call: Call = { type, payload, signal, timeout, resolve, reject, stopListening: () => {}, startedAt: 0 }
      call.stopListening = onAbort(signal, () => this.#abort(call))
      this.#waiting.push(call)
      this.#startNext()
    })
  }

  /** @throws MalformedError for an answer to nothing */
  answer(id: number, read: () => Answer): void {
    const running = this.#running
    if (running === undefined || running.id !== id) malformed('an answer to a request that is not running')
    const answer = read()
    const { call } = running
    this.#port.setDeadline(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, '')
    const late = isLate(call, answer)
    if (late && !call.signal?.aborted) this.#port.late()
    this.#running = undefined
    this.#completed += 1
    if (call.signal?.aborted) this.#settle(call, () => call.reject(call.signal?.reason))
    else if (late) this.#settle(call, () => call.reject(this.#timeout(call)))
    else if ('error' in answer) this.#settle(call, () => call.reject(answer.error))
    else this.#settle(call, () => call.resolve(answer.value))
    this.#port.settled()
    this.#startNext()
  }

  /** The sandbox has ended, and with it everything that runs or waits. */
  close(outcome: Outcome): void {
    const running = this.#running?.call
    this.#running = undefined
    if (running !== undefined) this.#settle(running, () => running.reject(this.#lost(running, outcome)))
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      const waiting = call
      this.#settle(waiting, () => waiting.reject(new SandboxClosedError(this.#port.name, outcome)))
    }
  }

  #startNext(): void {
    if (this.#running !== undefined) return
    let call = this.#waiting.shift()
    // Rejected by their own abort already.
    while (call?.signal?.aborted) call = this.#waiting.shift()
    if (call === undefined) return
    const id = ++this.#lastId
    this.#running = { call, id }
    call.startedAt = performance.now()
    if (Number.isFinite(call.timeout)) {
      this.#port.setDeadline(call.timeout, call.timeout + interruptGrace, Reason.callTime(call.timeout))
    }
    this.#port.started(call.timeout)
    this.#port.send(call.type, id, call.payload)
  }

  #abort(call: Call): void {
    if (this.#running?.call !== call) {
      this.#settle(call, () => call.reject(call.signal?.reason))
      return
    }
    this.#port.setDeadline(Number.POSITIVE_INFINITY, interruptGrace, Reason.aborted)
    this.#port.interrupt()
  }

  #settle(call: Call, settle: () => void): void {
    call.stopListening()
    settle()
  }

  #timeout({ timeout }: Call): TimeoutError {
    const message = `the call took longer than ${timeout} ms and was interrupted${this.#port.explainTimeout()}`
    return new TimeoutError(message, { limit: 'call', ms: timeout })
  }

  /** Why the running call has no answer. */
  #lost(call: Call, outcome: Outcome): unknown {
    if (call.signal?.aborted) return call.signal.reason
    if (outcome.kind !== 'timeout') return new SandboxClosedError(this.#port.name, outcome)
    const message = `sandbox ${JSON.stringify(this.#port.name)} has ended: ${outcome.message}${this.#port.explainTimeout()}`
    return new TimeoutError(message, { limit: outcome.limit, ms: outcome.ms, outcome })
  }
}
