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
  /** Some bytes; `undefined` at the end. Given up, nothing is lost. */
  read(options?: ServiceOptions): Promise<Uint8Array | undefined>
  /** Resolves when all of it has been taken. */
  write(bytes: Uint8Array, options?: ServiceOptions): Promise<void>
  end(): Promise<void>
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
  /** `flags`: the numbers of open(2). */
  open(path: string, flags: number, mode: number, options?: ServiceOptions): Promise<ServiceFile>
  connect(address: ServiceAddress, options?: ServiceOptions): Promise<ServiceStream>
}
