import type { Readable } from 'node:stream'
import { type Cell, type Enforcement, FrameType, type Isolation } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import { ReloadError } from '../../errors/reload-error.js'
import type { CallOptions, CodeOptions, ReceiveOptions } from '../../options.js'
import type { Outcome } from '../../outcome.js'
import type { PolicyInForce, Sandbox, SandboxStats } from '../../sandbox.js'
import type { Value } from '../../value.js'
import { codePayload } from '../frames/request.js'
import { pythonCode, settleCall, settleCode, settleReceive } from '../options/call-options.js'
import { expected } from '../options/check.js'
import { budgetOf } from '../options/limits.js'
import type { EnforcerCounters } from '../policy/attachments.js'
import type { Ruling } from '../policy/ruling.js'
import type { ServiceDesk } from '../services/desk.js'
import type { PolicyDesk } from '../supervisor/policy-desk.js'
import type { Budget } from '../values/budget.js'
import { encodeValue } from '../values/encode.js'
import { messageIterator } from './message-iterator.js'
import type { Session } from './session.js'

const builtIn: PolicyInForce = Object.freeze({ name: 'stdlib.readonly', digest: undefined, generation: 1 })

/** The public face of a session. Its methods are async, so that misuse rejects like everything else. */
export class PythonSandbox implements Sandbox {
  readonly name: string
  readonly isolation: Isolation
  readonly cell: string | undefined
  readonly pid: number
  readonly closed: Promise<Outcome>
  readonly #session: Session
  readonly #budget: Budget
  readonly #born = performance.now()

  readonly #own: Enforcement
  readonly #ruling: Ruling | undefined
  readonly #find: PolicyDesk['find']
  readonly #services: ServiceDesk

  constructor(
    session: Session,
    cell: Cell,
    place: { isolation: Isolation; cell: string | undefined },
    ruling: Ruling | undefined,
    find: PolicyDesk['find'],
    services: ServiceDesk,
  ) {
    this.#services = services
    this.#find = find
    this.#session = session
    this.#budget = budgetOf(session.limits)
    this.name = session.name
    this.isolation = place.isolation
    this.cell = place.cell
    this.pid = cell.pid
    this.#own = cell.enforcement
    this.#ruling = ruling
    this.closed = session.closed
  }

  get state(): Sandbox['state'] {
    return this.#session.state
  }
  get enforcement(): Enforcement {
    return this.#ruling === undefined ? this.#own : [...this.#own, ...this.#ruling.enforcement]
  }
  get policy(): PolicyInForce {
    if (this.#ruling === undefined) return builtIn
    const { policy, generation } = this.#ruling
    return { name: policy.name, digest: policy.digest, generation }
  }
  get stdout(): Readable {
    return this.#session.stdout.stream
  }
  get stderr(): Readable {
    return this.#session.stderr.stream
  }

  async exec(code: string, options?: CodeOptions): Promise<void> {
    await this.#run(FrameType.exec, pythonCode(code, 'code'), '<exec>', options)
  }

  async eval<T extends Value = Value>(expression: string, options?: CodeOptions): Promise<T> {
    return (await this.#run(FrameType.eval, pythonCode(expression, 'expression'), '<eval>', options)) as T
  }

  async call<T extends Value = Value>(
    name: string,
    args: readonly Value[] = [],
    kwargs: Readonly<Record<string, Value>> = {},
    options?: CallOptions,
  ): Promise<T> {
    if (typeof name !== 'string' || name === '')
      expected('name', "the name of a function in the guest, such as 'main'", name)
    if (!Array.isArray(args)) expected('args', 'an array of positional arguments', args)
    if (typeof kwargs !== 'object' || kwargs === null || kwargs instanceof Map) {
      expected('kwargs', 'a plain object of keyword arguments', kwargs)
    }
    const settled = settleCall(options, this.#session.limits.callTime)
    const payload = encodeValue({ name, args, kwargs }, this.#budget)
    return (await this.#session.request(FrameType.call, payload, settled)) as T
  }

  async send(value: Value): Promise<void> {
    await this.#session.send(encodeValue(value, this.#budget))
  }

  async recv<T extends Value = Value>(options?: ReceiveOptions): Promise<T> {
    const received = await this.#session.inbox.next(settleReceive(options))
    return received === undefined ? this.#session.ended() : (received.value as T)
  }

  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Value> {
    return messageIterator(this.#session.inbox, settleReceive(options))
  }

  async reload(policy: string | CompiledPolicy): Promise<void> {
    if (this.state === 'closing' || this.state === 'closed') return this.#session.ended()
    const ruled = this.#ruling ?? this.#services.reloadable
    if (ruled === undefined)
      throw new ReloadError(this.name, ['broker'], 'it was spawned with the built-in policy, which its kernel keeps')
    const { policy: found } = await this.#find(policy)
    await ruled.replace(found)
  }

  interrupt(): void {
    this.#session.interrupt()
  }

  stats(): SandboxStats {
    const { cell, inbox, calls, outputBytes, state } = this.#session
    const usage = state === 'closed' ? undefined : cell?.usage()
    return {
      cpuMs: usage?.cpuMs ?? 0,
      rssKiB: usage?.rssKiB ?? 0,
      privateKiB: usage?.privateKiB ?? 0,
      ageMs: performance.now() - this.#born,
      completedCalls: calls.completed,
      queuedCalls: calls.queued,
      posted: inbox.posted,
      unreadBytes: inbox.unreadBytes,
      outputBytes,
      ...this.#services.counts,
    }
  }

  counters(): EnforcerCounters {
    return this.#ruling?.counters ?? {}
  }

  close(): Promise<Outcome> {
    return this.#session.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #run(type: FrameType, code: string, name: string, options: CodeOptions | undefined): Promise<Value> {
    const { filename, ...settled } = settleCode(options, this.#session.limits.callTime, name)
    return this.#session.request(type, codePayload(code, filename, this.#budget), settled)
  }
}
