/** Registered, so that two copies of this package recognise each other's errors. */
const brand: unique symbol = Symbol.for('pyisolate.error') as never

/** Every code is stable: programs may compare it, never the message. */
export type ErrorCode = `ERR_PYISOLATE_${Uppercase<string>}`

/** The base of every error PyIsolate throws on purpose. */
export abstract class PyIsolateError extends Error {
  abstract readonly code: ErrorCode
  readonly [brand] = true

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options !== undefined && options.cause !== undefined ? { cause: options.cause } : undefined)
    // An own, non-enumerable property, as Error's own are: the class name survives minifiers that keep names.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true })
  }

  /** Also true for an error that was made by another copy of this package. */
  static isInstance(value: unknown): value is PyIsolateError {
    return value instanceof Error && (value as Partial<PyIsolateError>)[brand] === true
  }
}

/** The check behind each error's own `isInstance`: the brand and the code, not the class. */
export function hasCode(value: unknown, code: ErrorCode): boolean {
  return PyIsolateError.isInstance(value) && value.code === code
}
