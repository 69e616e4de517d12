import { Buffer } from 'node:buffer'
import { ValueEncodingError } from '../../errors/value-encoding-error.js'
import { type Budget, defaultBudget } from '../values/budget.js'
import { encodeValue } from '../values/encode.js'
import { loneSurrogate } from '../values/inspect.js'

/**
 * The payloads of requests: CBOR maps of a fixed shape. What never changes in them is encoded once; they are on the
 * way of every spawn and every call.
 */
const codeKeys = [keyOf('code', 2), keyOf('filename')] as const
const initKeys = [keyOf('isolation', 5), keyOf('limits'), keyOf('inputs'), keyOf('functions'), keyOf('name')] as const
const settingsKeys = [keyOf('isolation', 6), keyOf('settings')] as const

const emptyMap = encodeValue({}, defaultBudget)
const emptyList = encodeValue([], defaultBudget)

/** Of `exec` and `eval`. @throws ValueEncodingError */
export function codePayload(code: string, filename: string, budget: Budget): Uint8Array {
  if (!code.isWellFormed()) throw new ValueEncodingError('$.code', loneSurrogate)
  const bytes = join([codeKeys[0], code, codeKeys[1], filename])
  if (bytes.length > budget.bytes) {
    throw new ValueEncodingError('$.code', `the whole takes ${bytes.length} bytes; ${budget.bytes} are allowed`)
  }
  return bytes
}

/** Of `init`. The engine knows its budgets only once it has read them here. @throws ValueEncodingError */
export function initPayload(init: {
  readonly name: string
  readonly isolation: string
  readonly limits: Uint8Array
  readonly inputs: Readonly<Record<string, unknown>>
  readonly functions: readonly string[]
  /** What a policy means for the sandbox's Python. */
  readonly settings?: Readonly<Record<string, unknown>> | undefined
}): Uint8Array {
  const { isolation, limits, settings } = init
  const hasInputs = Object.keys(init.inputs).length > 0
  if (!hasInputs && settings === undefined) return join([bareInit(isolation, limits, init.functions), init.name])
  const inputs = hasInputs ? encodeValue(init.inputs, defaultBudget, '$.inputs') : emptyMap
  const functions = encodeFunctions(init.functions)
  if (settings === undefined) return join([beforeName(isolation, limits, inputs, functions), init.name])
  const [, limitsKey, inputsKey, functionsKey, nameKey] = initKeys
  const [isolationKey, settingsKey] = settingsKeys
  const given = encodeValue(settings, defaultBudget)
  return join(
    [isolationKey, isolation, limitsKey, limits, inputsKey, inputs, functionsKey, functions, settingsKey, given].concat(
      [nameKey, init.name],
    ),
  )
}

/** By limits, by isolation and functions: what is before the name of a sandbox that is given no inputs. */
const bareInits = new WeakMap<Uint8Array, Map<string, Uint8Array>>()
/** A program that gives each sandbox functions of other names gains nothing, and must not pay with memory. */
const MOST_BARE_INITS = 64

function bareInit(isolation: string, limits: Uint8Array, functions: readonly string[]): Uint8Array {
  const known = bareInits.get(limits) ?? new Map<string, Uint8Array>()
  const key = [isolation, ...functions].join(' ')
  let bytes = known.get(key)
  if (bytes === undefined) {
    bytes = beforeName(isolation, limits, emptyMap, encodeFunctions(functions))
    if (known.size >= MOST_BARE_INITS) known.clear()
    bareInits.set(limits, known.set(key, bytes))
  }
  return bytes
}

function encodeFunctions(names: readonly string[]): Uint8Array {
  return names.length === 0 ? emptyList : encodeValue(names, defaultBudget, '$.functions')
}

function beforeName(isolation: string, limits: Uint8Array, inputs: Uint8Array, functions: Uint8Array): Uint8Array {
  const [isolationKey, limitsKey, inputsKey, functionsKey, nameKey] = initKeys
  return join([isolationKey, isolation, limitsKey, limits, inputsKey, inputs, functionsKey, functions, nameKey])
}

/** A key as bytes; with `size`, after the head of the map of so many pairs that it begins. */
function keyOf(name: string, size?: number): Uint8Array {
  const key = encodeValue(name, defaultBudget)
  return size === undefined ? key : Buffer.concat([Uint8Array.of(0xa0 | size), key])
}

/** Items one behind the other: bytes that are items already, and well-formed text. */
function join(items: readonly (Uint8Array | string)[]): Uint8Array {
  let size = 0
  for (const item of items) size += typeof item === 'string' ? 5 + Buffer.byteLength(item) : item.length
  const out = Buffer.allocUnsafe(size)
  let at = 0
  for (const item of items) {
    if (typeof item === 'string') {
      const length = Buffer.byteLength(item)
      at = writeTextHead(out, at, length)
      at += out.write(item, at, 'utf8')
    } else {
      out.set(item, at)
      at += item.length
    }
  }
  return out.subarray(0, at)
}

/** RFC 8949, 3: the shortest head of major type 3. */
function writeTextHead(out: Buffer, at: number, length: number): number {
  if (length < 24) return out.writeUInt8(0x60 | length, at)
  if (length < 2 ** 8) return out.writeUInt8(length, out.writeUInt8(0x78, at))
  if (length < 2 ** 16) return out.writeUInt16BE(length, out.writeUInt8(0x79, at))
  return out.writeUInt32BE(length, out.writeUInt8(0x7a, at))
}
