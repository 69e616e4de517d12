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
