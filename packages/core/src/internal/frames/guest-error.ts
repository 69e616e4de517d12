import { GuestError, type GuestFrame } from '../../errors/guest-error.js'
import type { Value } from '../../value.js'
import { type GuestLimit, seenOf } from '../session/limit-notice.js'
import type { Budget } from '../values/budget.js'
import { malformed } from '../values/malformed-error.js'
import { field, integer, list, record, text } from './shapes.js'

const nameLength = 4096
/** Python's own recursion limit bounds a traceback far below. */
const mostFrames = 100_000

/** An error is no value of the guest's: a sandbox whose values must be small may still have a long traceback. */
export function errorBudget({ bytes, items }: Budget): Budget {
  return { bytes: Math.max(bytes, 16 * 2 ** 20), depth: 3, items: items + mostFrames * 10 }
}

/** @throws MalformedError */
export function readGuestError(value: Value): GuestError {
  const fields = record(value, 'an error')
  return new GuestError({
    type: text(field(fields, 'type'), "an error's type", nameLength),
    module: text(field(fields, 'module') ?? '', "an error's module", nameLength),
    message: text(field(fields, 'message'), "an error's message", 2 ** 24),
    traceback: text(field(fields, 'traceback') ?? '', "an error's traceback", 2 ** 24),
    frames: Object.freeze(list(field(fields, 'frames') ?? [], "an error's frames", mostFrames).map(readFrame)),
  })
}

/** The limit that an error is about, as the guest's side says. @throws MalformedError */
export function readLimit(value: Value): GuestLimit | undefined {
  const fields = record(value, 'an error')
  // When there is no memory to describe it, its bare name comes.
  const lacksMemory = field(fields, 'type') === 'MemoryError' && field(fields, 'module') === 'builtins'
  const limit = field(fields, 'limit') ?? (lacksMemory ? 'memory' : undefined)
  if (limit === undefined) return undefined
  if (typeof limit !== 'string' || !Object.hasOwn(seenOf, limit)) malformed('an error about an unknown limit')
  return limit as GuestLimit
}

function readFrame(value: Value): GuestFrame {
  const fields = record(value, "a traceback's frame")
  return Object.freeze({
    file: text(field(fields, 'file'), "a frame's file", nameLength),
    line: integer(field(fields, 'line') ?? 0, "a frame's line", 0, 2 ** 31),
    function: text(field(fields, 'function') ?? '', "a frame's function", nameLength),
    source: text(field(fields, 'source') ?? '', "a frame's source", 65_536),
  })
}
