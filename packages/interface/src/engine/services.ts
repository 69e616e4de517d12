/** Of whatever a service waits for. */
export interface ServiceOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until it is given up. Default: none. */
  readonly timeout?: number | undefined
}

/** A regular file that an engine has opened for a sandbox. */
export interface ServiceFile {
  /** Bytes it had when it was opened. */
  readonly size: number
  read(position: number, length: number, options?: ServiceOptions): Promise<Uint8Array>
  /** All of it, or it rejects. */
  write(position: number, bytes: Uint8Array, options?: ServiceOptions): Promise<void>
  close(): Promise<void>
}

/** A stream that an engine has connected for a sandbox. */
export interface ServiceStream {
  /** Whether a policy that came later has taken it away. Then everything fails with `EACCES`. */
  readonly revoked: boolean
  /** Some bytes; `undefined` at the end. Given up, nothing is lost. */
  read(options?: ServiceOptions): Promise<Uint8Array | undefined>
  /** Resolves when all of it has been taken. */
  write(bytes: Uint8Array, options?: ServiceOptions): Promise<void>
  end(): Promise<void>
  close(): Promise<void>
}

/** What an engine lets listen for a sandbox. Who connects is not judged: the policy says where a guest may be found. */
export interface ServiceListener {
  /** Where: a number and a port, or a Unix socket's path and 0. */
  readonly host: string
  readonly port: number
  /** A policy allows it no more. */
  readonly revoked: boolean
  /** The next connection, with its peer; given up, none is lost. */
  accept(options?: ServiceOptions): Promise<ServiceStream & { readonly host: string; readonly port: number }>
  close(): Promise<void>
}

/** A UDP socket that an engine has made for a sandbox. Each datagram's target is judged; who sends one isn't. */
export interface ServiceDatagrams {
  readonly host: string
  /** 0 for one that isn't bound. */
  readonly port: number
  readonly revoked: boolean
  /** The next one; given up, none is lost. */
  receive(
    options?: ServiceOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly host: string; readonly port: number }>
  send(
    bytes: Uint8Array,
    address: { readonly host: string; readonly port: number },
    options?: ServiceOptions,
  ): Promise<void>
  close(): Promise<void>
}

/** A number and a port, or a Unix socket's path as the guest sees it; `@` and a name for an abstract one. */
export type ServiceAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/**
 * Files and streams for a guest that has no such right, or no way to wait for them: decided as its own calls would be, by
 * the policy in force, and made on this side without holding up the event loop. What is refused rejects with an error
 * whose `errno` is the name of one (`EACCES` for what the policy denies, which also becomes a `Denial`), or with a `code`
 * that ends in `_TIMEOUT`.
 */
export interface CellServices {
  /**
   * Of a sandbox that isn't brokered: what it may do from now on, by a table like a broker's. Without, everything is
   * denied. Returns its generation; 0 when the sandbox is gone.
   */
  serve(table: Uint8Array): number
  /**
   * Another policy is in force: what is open and no longer allowed ends, and everything on it fails with `EACCES` from
   * then on. Resolves when that is done; `undefined` if nothing was ever asked for.
   */
  judgeAgain(): Promise<void> | undefined
  /** `flags`: the numbers of open(2). */
  open(path: string, flags: number, mode: number, options?: ServiceOptions): Promise<ServiceFile>
  connect(address: ServiceAddress, options?: ServiceOptions): Promise<ServiceStream>
  listen(address: ServiceAddress, options?: ServiceOptions): Promise<ServiceListener>
  /** Bound to an address; without, one that sends from wherever the kernel says. */
  datagrams(address: ServiceAddress | undefined, options?: ServiceOptions): Promise<ServiceDatagrams>
}
