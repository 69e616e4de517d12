/** Bytes, or text with a unit: `'256MiB'`, `'1.5GB'`, `'64 KiB'`. */
export type Size = number | `${number}${'' | ' '}${'B' | 'kB' | 'MB' | 'GB' | 'TB' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`
/** Milliseconds, or text with a unit: `'30s'`, `'250 ms'`, `'2min'`. `Infinity` is no limit. */
export type Duration = number | `${number}${'' | ' '}${'ms' | 's' | 'min' | 'h'}`

/** What a sandbox may use at most. */
export interface Limits {
  /** Memory the guest may allocate; beyond, it sees `MemoryError` and lives on. Default 256 MiB. */
  readonly memory?: Size
  /**
   * Time of one `exec`, `eval` or `call`. Then the guest is interrupted (`KeyboardInterrupt`); a guest that
   * isn't back within 100 ms is ended. Default 30 s.
   */
  readonly callTime?: Duration
  /** Time from spawn on, whatever the guest does; the sandbox is ended at once. Default none. */
  readonly wallTime?: Duration
  /** CPU time of the sandbox, all threads together. Default none. */
  readonly cpuTime?: Duration
  /** Default 16. */
  readonly threads?: number
  /** Descriptors of the guest. Default 64. In a shared cell `interpreters.openFiles` of the supervisor holds instead. */
  readonly openFiles?: number
  /** Bytes of one file that the guest writes, where its policy lets it write any; beyond, it sees `OSError` (EFBIG). Default 64 MiB. */
  readonly fileSize?: Size
  /** stdout and stderr together, from first to last byte; beyond, the sandbox is ended. Default 16 MiB. */
  readonly output?: Size
  /** Values that the guest posts, in all; with one more the sandbox is ended. Default none. */
  readonly messages?: number
  /**
   * What the guest has posted and nobody has received; beyond, its `post()` blocks, and with it whatever
   * else it sends. Each message counts its encoded size and 64 bytes. Default 16 MiB.
   */
  readonly unread?: Size
  /** Encoded size of one value, both ways. Default 64 MiB. */
  readonly frame?: Size
  /** Nesting of one value, both ways, from 2 to 512; around the arguments of a call there are two levels more. Default 64. */
  readonly depth?: number
  /** Scalars, containers, keys and elements of one value, both ways; at least 16. Default 1,000,000. */
  readonly items?: number
}
