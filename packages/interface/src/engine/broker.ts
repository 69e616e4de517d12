/** Where a cell's standard library is: as guests see it, and as this side does. */
export interface CellPlaces {
  readonly stdlib: { readonly guest: string; readonly host: string }
}

/** Something a guest tried that its policy denied or, under a table that only logs, did. */
export interface Denial {
  readonly operation: 'read' | 'write' | 'exec' | 'connect' | 'bind' | 'sendto' | 'socket' | 'call'
  /** A path as the guest sees it, a target (`tcp://192.0.2.1:443`, `unix:///run/x`), a kind of socket, a system call. */
  readonly object: string
  /** Number of the rule that decided; `undefined` when none fitted, which denies. */
  readonly rule: number | undefined
  /** Which of its tables decided: 1 for the one it was spawned with, one more for each that followed. */
  readonly generation: number
  /** What the guest saw, by number; 0 when the table only logs. */
  readonly errno: number
  /** Denials of this sandbox that were left out since the last one, as they came too fast. */
  readonly lost: number
  /** A contract was broken whose action is to kill: the caller is to end the sandbox. The call itself was denied. */
  readonly kill: boolean
  /** What the policy says of it: true only under a table that only logs. */
  readonly allowed: boolean
}

/**
 * Has an engine decide, and make, a sandbox's calls on files and sockets outside of its cell (seccomp_unotify(2)).
 * Tables are the bytes of `compileBrokerTable` in `@pyisolate/policy`.
 */
export interface BrokerRequest {
  /** What a sandbox may do while it is made, before it is anybody's: the same for every request of a caller. */
  blank(places: CellPlaces): Uint8Array
  /** What this sandbox may do from its first line on. */
  table(places: CellPlaces): Uint8Array
  /** Its sockets are to be marked (`Cell.markSockets`). */
  readonly marksSockets?: boolean
  onDenial(denial: Denial): void
}
