/** A policy as programs in the kernel take it: plain data, made by `compileBpf` and `compileContracts` of the policy package. */
export interface KernelPolicy {
  readonly files: readonly KernelFileRule[]
  readonly nets: readonly KernelNetRule[]
  readonly unixes: readonly KernelUnixRule[]
  /** At most 64: bit i of a frame's path bits is set when pattern i fits. */
  readonly contractPaths: readonly { readonly path: string; readonly subtree: boolean }[]
  readonly contracts?: readonly KernelContract[]
  /** Bytes a second of all its Internet sockets together, as IP packets; absent: no limit. */
  readonly bandwidth?: { readonly in?: number | undefined; readonly out?: number | undefined }
  /** Decide and report, but let it happen. */
  readonly logOnly?: boolean
}

interface KernelRule {
  readonly ops: number
  readonly deny: boolean
  /** Its number, in events as well. */
  readonly rule: number
}

/** `ops`: 1 read, 2 write, 4 exec. Paths are this side's: they are looked up once, and identity counts from then on. */
export interface KernelFileRule extends KernelRule {
  readonly path: string
  readonly subtree: boolean
}

/** `ops`: 1 connect, 2 bind, 4 sendto. */
export interface KernelNetRule extends KernelRule {
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
export interface KernelUnixRule extends KernelRule {
  readonly path: string
  readonly subtree: boolean
  readonly abstract: boolean
}

/** In the order of their numbers. */
export const hookNames = ['open', 'exec', 'unlink', 'rename', 'mkdir', 'connect', 'bind', 'sendto'] as const
export type HookName = (typeof hookNames)[number]

/** All contracts of one hook. */
export interface KernelContract {
  readonly hook: HookName
  /** BPF instructions, 8 bytes each (RFC 9669). */
  readonly instructions: Uint8Array
  /** Where an instruction loads a map's address. */
  readonly relocations: readonly { readonly at: number; readonly map: 'tasks' | 'events' }[]
}

/** A rule that can't be enforced as it is. What it would allow is denied; what it would deny is not seen. */
export interface Unenforced {
  readonly rule: number
  readonly deny: boolean
  readonly why: 'absent' | 'by-name' | 'file-system' | 'too-many'
  /** What is absent, the name, the kind of file system. */
  readonly what: string
}
