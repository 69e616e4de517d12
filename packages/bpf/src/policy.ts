/** A policy as the maps take it: `BpfTarget` of `@pyisolate/policy`, with the contracts' programs. */
export interface BpfPolicy {
  readonly files: readonly BpfFileRule[]
  readonly nets: readonly BpfNetRule[]
  readonly unixes: readonly BpfUnixRule[]
  /** At most 64: bit i of a frame's path bits is set when pattern i fits. */
  readonly contractPaths: readonly { readonly path: string; readonly subtree: boolean }[]
  readonly contracts?: readonly BpfContract[]
  /** Decide and report, but let it happen. */
  readonly logOnly?: boolean
}

interface BpfRule {
  readonly ops: number
  readonly deny: boolean
  /** Its number, in events as well. */
  readonly rule: number
}

/** `ops`: 1 read, 2 write, 4 exec. */
export interface BpfFileRule extends BpfRule {
  readonly path: string
  readonly subtree: boolean
}

/** `ops`: 1 connect, 2 bind, 4 sendto. */
export interface BpfNetRule extends BpfRule {
  readonly protocol: 6 | 17
  /** 0: by name. */
  readonly family: 0 | 4 | 6
  /** In bits. */
  readonly prefix: number
  readonly from: number
  readonly to: number
  /** 16 bytes in network order, an IPv4 address in the first four. */
  readonly address: readonly number[]
  readonly name: string
}

/** `ops`: 1 connect, 2 bind, 4 sendto. */
export interface BpfUnixRule extends BpfRule {
  readonly path: string
  readonly subtree: boolean
  readonly abstract: boolean
}

/** In the order of their numbers. */
export const hookNames = ['open', 'exec', 'unlink', 'rename', 'mkdir', 'connect', 'bind', 'sendto'] as const
export type HookName = (typeof hookNames)[number]

/** All contracts of one hook, as `compileContracts` of `@pyisolate/policy` makes them. */
export interface BpfContract {
  readonly hook: HookName
  /** BPF instructions, 8 bytes each (RFC 9669). */
  readonly instructions: Uint8Array
  /** Where an instruction loads a map's address. */
  readonly relocations: readonly { readonly at: number; readonly map: 'tasks' | 'events' }[]
}

/** A rule that the programs can't enforce as it is. What it would allow is denied; what it would deny is not seen. */
export interface Unenforced {
  readonly rule: number
  readonly deny: boolean
  readonly why: 'absent' | 'by-name' | 'file-system' | 'too-many'
  /** What is absent, the name, the kind of file system. */
  readonly what: string
}
