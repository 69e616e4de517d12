/** A failure whose message is the one line a person needs; `log` names the file with the rest. */
export class SetupFailure extends Error {
  constructor(code, message, { log, cause } = {}) {
    super(message, { cause })
    this.name = 'SetupFailure'
    this.code = code
    this.log = log
  }

  /** The line printed at the end of a failed set-up. */
  get line() {
    return `set-up failed: ${this.message}${this.log ? ` (log: ${this.log})` : ''}`
  }
}

/** What helps wherever the cache is what the disk has no room for. */
export const ELSEWHERE = 'PYISOLATE_CACHE can put the cache elsewhere'

/** What the machine, and not this code, answers for; by the names of errno(3). */
const CAUSES = {
  ENOSPC: ['DISK', 'the disk is full', `make room; ${ELSEWHERE}`],
  EDQUOT: ['DISK', "this user's share of the disk is used up", `make room; ${ELSEWHERE}`],
  EROFS: ['CACHE', 'the file system is read-only', `remount it; ${ELSEWHERE}`],
  EACCES: ['CACHE', 'permission denied', `run as its owner; ${ELSEWHERE}`],
  EPERM: ['CACHE', 'permission denied', `run as its owner; ${ELSEWHERE}`],
}

/** A call to the system that failed for such a cause, as a failure by name; anything else as it came. */
export function explained(error, { log } = {}) {
  if (error instanceof SetupFailure || !Object.hasOwn(CAUSES, error?.code ?? '')) return error
  const [code, cause, remedy] = CAUSES[error.code]
  const where = [error.code, error.syscall, error.path].filter(Boolean).join(' ')
  return new SetupFailure(code, `${cause} (${where}): ${remedy}`, { log, cause: error })
}
