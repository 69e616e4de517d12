/**
 * What a contract's program finds for the operation that it judges, in its task's storage; bytes from its start. The
 * broker and the kernel's programs fill the same.
 */
export const taskBytes = 128

/** Of 64 bits each. */
export const numberAt: Readonly<Record<string, number>> = {
  opens: 24,
  connects: 32,
  sends: 40,
  bytes_sent: 48,
  bytes_received: 56,
  elapsed: 64,
  writes: 72,
  'dst.port': 80,
  size: 88,
}
export const sandboxAt = 0
/** Bit i: the i-th of `contractPaths` fits the path. */
export const pathBitsAt = 96
/** In network order; IPv4 as ::ffff:a.b.c.d. */
export const addressAt = 104
/** 32 bits: 4, 6, or 0 for none. */
export const familyAt = 120

/** A contract that does not hold, as an event of 32 bytes: u32 kind, u32 rule, u64 sandbox, u32 hook, u32 action, u64 0. */
export const eventBytes = 32
export const violationKind = 2
export const actions = ['deny', 'log', 'kill'] as const

/** Numbers of helpers (bpf-helpers(7)). */
export const helper = { sendSignal: 109, ringbufOutput: 130, taskStorageGet: 156, currentTask: 158 } as const
