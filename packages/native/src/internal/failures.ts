import { constants } from 'node:os'

import { RefusedError, SpawnError } from '@pyisolate/interface'

import { explainErrno } from '../errors/system-error.js'
import type { NativeExit } from './addon.js'

/** An error of the addon's or of the operating system's, as the `SpawnError` that callers get. */
export function spawnFailure(what: string, cause: unknown): SpawnError {
  if (cause instanceof SpawnError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SpawnError(`${what}: ${reason}`, { cause })
}

export function forkFailure(errno: number, text: string): SpawnError {
  return new SpawnError(`a sandbox could not be forked: ${text || 'fork'}: ${explainErrno(errno)}`)
}

export function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`
}

export function describeExit(exit: { code: number | null; signal: number | null }): string {
  return exit.signal !== null ? `it was ended by ${signalName(exit.signal)}` : `it exited with status ${exit.code}`
}

type Decode = (payload: Uint8Array) => unknown

function decodeMap(payload: Uint8Array | undefined, decode: Decode): Record<string, unknown> {
  try {
    const value = payload === undefined ? undefined : decode(payload)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Why a cell ended before it was ready: its own last word if it had one. */
export function earlyExit(
  exit: NativeExit,
  lastWord: Uint8Array | undefined,
  decode: Decode,
): RefusedError | SpawnError {
  const { kind, message, missing } = decodeMap(lastWord, decode)
  const text = typeof message === 'string' && message !== '' ? message : describeExit(exit)
  if (kind === 'refused') {
    const names = Array.isArray(missing) ? missing.filter((one): one is string => typeof one === 'string') : []
    return new RefusedError(`the sandbox can't be confined on this host: ${text}`, { missing: names })
  }
  const reason = exit.killedBy ?? exit.cellKilledBy
  return new SpawnError(
    `the sandbox ended while it was being prepared: ${text}${reason === null ? '' : ` (${reason})`}`,
  )
}

/** The `error` frame that answered `init`. */
export function initFailure(payload: Uint8Array, decode: Decode): SpawnError {
  const { type, message } = decodeMap(payload, decode)
  const text = `${typeof type === 'string' ? type : 'error'}: ${typeof message === 'string' ? message : 'unknown'}`
  return new SpawnError(`the sandbox could not be prepared: ${text}`)
}
