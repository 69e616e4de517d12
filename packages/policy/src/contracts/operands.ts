import type { Kind } from './ast.js'

/** Counted for each sandbox, the operation that is judged included; known at every hook. */
const counters = {
  opens: 'count',
  connects: 'count',
  sends: 'count',
  bytes_sent: 'bytes',
  bytes_received: 'bytes',
  elapsed: 'time',
} as const satisfies Record<string, Kind>

const onPath = { path: 'path' } as const
const onSocket = { 'dst.addr': 'address', 'dst.port': 'count' } as const

/** Where a contract can be held, and what is known there beside the counters. */
export const hooks = {
  open: { ...onPath, writes: 'bool' },
  exec: onPath,
  unlink: onPath,
  rename: onPath,
  mkdir: onPath,
  connect: onSocket,
  bind: onSocket,
  sendto: { ...onSocket, size: 'bytes' },
} as const satisfies Record<string, Record<string, Kind>>

export type Hook = keyof typeof hooks
export const hookNames = Object.keys(hooks) as Hook[]

export function operandsOf(hook: Hook): Readonly<Record<string, Kind>> {
  return { ...hooks[hook], ...counters }
}
