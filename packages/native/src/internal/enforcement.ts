import { type Enforcement, type EnforcementEntry, SpawnError } from '@pyisolate/interface'

type Decode = (payload: Uint8Array) => unknown

function entry(value: unknown): EnforcementEntry {
  const { mechanism, state, essential, detail } = (value ?? {}) as Record<string, unknown>
  if (typeof mechanism !== 'string' || typeof detail !== 'string' || typeof essential !== 'boolean') throw malformed()
  if (state !== 'active' && state !== 'unavailable') throw malformed()
  return Object.freeze({ mechanism, state, essential, detail })
}

const malformed = (cause?: unknown): SpawnError =>
  new SpawnError("the cell's report of its confinement is malformed", { cause })

/** Reads the payload of `ready`: strictly, though no guest code has run when it is sent. @throws SpawnError */
export function parseEnforcement(payload: Uint8Array, decode: Decode): Enforcement {
  let value: unknown
  try {
    value = decode(payload)
  } catch (cause) {
    throw malformed(cause)
  }
  const list = (value as { enforcement?: unknown } | null)?.enforcement
  if (!Array.isArray(list)) throw malformed()
  const entries = list.map(entry)
  // The cell ends itself in this case; believe it even less than that.
  const missing = entries.find((one) => one.essential && one.state !== 'active')
  if (missing) throw new SpawnError(`the cell reports ${missing.mechanism} as missing, yet goes on`)
  return Object.freeze(entries)
}

/** Cells of one zygote nearly always report the same bytes, which are then read once. */
export class EnforcementReader {
  #bytes: Uint8Array | undefined
  #parsed: Enforcement = []

  read(payload: Uint8Array, decode: Decode): Enforcement {
    if (this.#bytes !== undefined && Buffer.compare(this.#bytes, payload) === 0) return this.#parsed
    this.#parsed = parseEnforcement(payload, decode)
    this.#bytes = payload
    return this.#parsed
  }
}
