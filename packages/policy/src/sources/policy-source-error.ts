import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_POLICY_SOURCE'

/** Why a source of policies has nothing new to give. Stable, like a code. */
export type PolicySourceProblem =
  /** An argument that isn't what it should be. */
  | 'option'
  /** Not connected, or not done, in time. */
  | 'timeout'
  /** More bytes than a policy may have, as sent or as decompressed, or more files than a folder may have. */
  | 'too-large'
  /** No signature, one that can't be read, or not the publisher's for these bytes. */
  | 'signature'
  /** A revision below the highest accepted one, or other bytes under its number. */
  | 'rollback'
  /** The server sent us elsewhere. */
  | 'redirect'
  /** An HTTP status other than 200, or 304 where nothing was asked that it could answer. */
  | 'status'
  /** No connection, or one that broke. */
  | 'network'
  /** The bytes are no policy; `cause` is the `PolicyError` if they got that far. */
  | 'parse'
  /** A policy of another name. */
  | 'name'
  /** The state file can't be read or written. */
  | 'state'
  /** The file or folder isn't there any more. */
  | 'missing'
  /** The file or folder is there and can't be read, or never stays as it is. */
  | 'file'
  /** A fault of this package; please report it. */
  | 'internal'

/** A source could not give a policy. The last good one stays in force. */
export class PolicySourceError extends PyIsolateError {
  override readonly code = code
  readonly problem: PolicySourceProblem
  /** The file, folder or URL. */
  readonly from: string
  /** What would have been right, in words. */
  readonly expected: string

  constructor(
    problem: PolicySourceProblem,
    from: string,
    what: string,
    details: { readonly expected?: string; readonly cause?: unknown } = {},
  ) {
    const { expected = '', cause } = details
    super(`${from}: ${what}${expected === '' ? '' : `: expected ${expected}`}`, { cause })
    this.problem = problem
    this.from = from
    this.expected = expected
  }

  static override isInstance(value: unknown): value is PolicySourceError {
    return hasCode(value, code)
  }
}
