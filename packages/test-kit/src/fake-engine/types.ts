/** What a guest was asked to do; `exec` and `eval` have `code`, `call` has the rest. */
export interface FakeRequest {
  readonly kind: 'exec' | 'eval' | 'call'
  readonly code: string
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
}

/** What a script can do as the guest. Everything that waits rejects with `KeyboardInterrupt` on an interrupt. */
export interface FakeGuest {
  readonly name: string
  post(value: unknown): Promise<void>
  print(text: string | Uint8Array, stream?: 'out' | 'err'): Promise<void>
  host(name: string, args?: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>): Promise<unknown>
  recv(): Promise<unknown>
  sleep(ms: number): Promise<void>
  /** Any frame at all: for guests that break the protocol. */
  frame(type: number, id: number, payload: Uint8Array): Promise<void>
  /** The id of the request that runs. */
  readonly requestId: number
  /** Interrupts do nothing from now on. */
  ignoreInterrupts(): void
  /** Ends the sandbox as `SystemExit` does, and as a signal does. Neither returns. */
  exit(code: number): Promise<never>
  crash(signal: number): Promise<never>
  corrupt(detail: string): void
}

/** Answers one request: the value it returns is the result, what it throws the error. */
export type FakeScript = (request: FakeRequest, guest: FakeGuest) => unknown

/** A Python exception, as a script throws it. */
export class FakeException extends Error {
  readonly type: string

  constructor(type: string, message = '') {
    super(message)
    this.type = type
  }
}
