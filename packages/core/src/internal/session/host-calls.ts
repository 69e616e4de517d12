import { FrameType } from '@pyisolate/interface'
import { ValueEncodingError } from '../../errors/value-encoding-error.js'
import type { HostFunction } from '../../options.js'
import type { Value } from '../../value.js'
import { readHostCall } from '../frames/host-call.js'
import type { Budget } from '../values/budget.js'
import { decodeValue } from '../values/decode.js'
import { encodeValue } from '../values/encode.js'
import { malformed } from '../values/malformed-error.js'

/** A guest can leave a call behind by an interrupt and start the next; a flood of calls isn't that. */
const mostAtOnce = 1024
const mostText = 8192

export type Reply = (type: FrameType, id: number, payload: Uint8Array) => void

/** Runs the host functions a guest calls. Nothing a function does or a guest sends gets past it as a rejection. */
export class HostCalls {
  readonly #functions: ReadonlyMap<string, HostFunction>
  readonly #budget: Budget
  readonly #reply: Reply
  readonly #running = new Set<number>()

  constructor(functions: ReadonlyMap<string, HostFunction>, budget: Budget, reply: Reply) {
    this.#functions = functions
    this.#budget = budget
    this.#reply = reply
  }

  /** @throws MalformedError */
  handle(id: number, payload: Uint8Array): void {
    if (!Number.isSafeInteger(id)) malformed('a host call with an impossible id')
    if (this.#running.has(id)) malformed(`a second host call with the id ${id}`)
    if (this.#running.size >= mostAtOnce) malformed(`more than ${mostAtOnce} host calls at once`)
    const { name, args, kwargs } = readHostCall(decodeValue(payload, aroundArguments(this.#budget)), this.#budget.items)
    this.#running.add(id)
    const call = this.#functions.get(name)
    if (call === undefined) {
      this.#fail(id, {
        type: 'AttributeError',
        message: `the host has no function ${JSON.stringify(name)}`,
        plain: true,
      })
      return
    }
    void this.#run(id, name, () => call(...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : [])))
  }

  async #run(id: number, name: string, call: () => unknown): Promise<void> {
    let value: unknown
    try {
      value = await call()
    } catch (error) {
      this.#fail(id, describeError(error))
      return
    }
    let payload: Uint8Array
    try {
      payload = encodeValue(value, this.#budget)
    } catch (error) {
      const why = ValueEncodingError.isInstance(error) ? error.message : describeError(error).message
      this.#fail(id, { type: 'TypeError', message: `host.${name}() returned what cannot cross: ${why}`, plain: true })
      return
    }
    this.#finish(FrameType.reply, id, payload)
  }

  #fail(id: number, { type, message, code, plain }: Failure): void {
    const error: Record<string, Value> = { type: clean(type, 200), message: clean(message, mostText) }
    if (code !== undefined) error.code = clean(code, 200)
    if (plain) error.plain = true
    this.#finish(FrameType.replyError, id, encodeValue(error, { ...this.#budget, depth: 1, items: 10, bytes: 65_536 }))
  }

  #finish(type: FrameType, id: number, payload: Uint8Array): void {
    this.#running.delete(id)
    this.#reply(type, id, payload)
  }
}

/** The map around the arguments, and the array and the map that hold them, are not the guest's values. */
export function aroundArguments({ bytes, depth, items }: Budget): Budget {
  return { bytes: bytes + 4096, depth: depth + 2, items: items + 8 }
}

interface Failure {
  readonly type: string
  readonly message: string
  readonly code?: string
  /** Not thrown by the function: Python raises its own exception of this name. */
  readonly plain?: true
}

/** Name, message and code of anything that can be thrown; a hostile getter or `toString` makes it `Error`. */
function describeError(thrown: unknown): Failure {
  try {
    if (!(thrown instanceof Error)) return { type: 'Error', message: String(thrown) }
    const { name, message, code } = thrown as Error & { code?: unknown }
    const failure = { type: String(name), message: String(message) }
    return typeof code === 'string' ? { ...failure, code } : failure
  } catch {
    return { type: 'Error', message: 'the host function failed' }
  }
}

function clean(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}
