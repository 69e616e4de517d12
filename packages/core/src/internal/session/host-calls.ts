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
      this.#fail(id, 'AttributeError', `the host has no function ${JSON.stringify(name)}`)
      return
    }
    void this.#run(id, name, () => call(...args, ...(Object.keys(kwargs).length > 0 ? [kwargs] : [])))
  }

  async #run(id: number, name: string, call: () => unknown): Promise<void> {
    let payload: Uint8Array
    try {
      payload = encodeValue(await call(), this.#budget)
    } catch (error) {
      if (ValueEncodingError.isInstance(error))
        this.#fail(id, 'TypeError', `host.${name}() returned what cannot cross: ${error.message}`)
      else this.#fail(id, ...describeError(error))
      return
    }
    this.#finish(FrameType.reply, id, payload)
  }

  #fail(id: number, type: string, message: string, code?: string): void {
    const error: Record<string, Value> = { type: clean(type, 200), message: clean(message, mostText) }
    if (code !== undefined) error.code = clean(code, 200)
    this.#finish(FrameType.replyError, id, encodeValue(error, { ...this.#budget, depth: 1, items: 8, bytes: 65_536 }))
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

/** Name, message and code of anything that can be thrown; a hostile getter or `toString` makes it `Error`. */
function describeError(thrown: unknown): [type: string, message: string, code?: string] {
  try {
    if (!(thrown instanceof Error)) return ['Error', String(thrown)]
    const { code } = thrown as { code?: unknown }
    return [String(thrown.name), String(thrown.message), ...(typeof code === 'string' ? ([code] as const) : [])] as [
      string,
      string,
      string?,
    ]
  } catch {
    return ['Error', 'the host function failed']
  }
}

function clean(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}
