/** What came from the guest is no value of ours. Internal: it ends the sandbox with the outcome `protocol`. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
}

export function malformed(what: string, at?: number): never {
  throw new MalformedError(at === undefined ? what : `${what} at byte ${at}`)
}
