import { hasCode, PyIsolateError } from '@pyisolate/interface'

const code = 'ERR_PYISOLATE_UNENFORCEABLE'

/** A part of a policy that no mechanism of this host keeps. */
export interface UnenforceableRule {
  /** Such as `limits.cpu` or `contracts`. */
  readonly section: string
  readonly text: string
  /** Where it was written: of a limit that several documents have, the one that holds. */
  readonly place: { readonly file: string; readonly line: number } | undefined
  readonly why: string
}

/** A strict policy demands what this host can't enforce: nothing was started, or the old policy stays in force. */
export class UnenforceableError extends PyIsolateError {
  override readonly code = code
  readonly rules: readonly UnenforceableRule[]

  constructor(policy: string, rules: readonly UnenforceableRule[]) {
    const lines = rules.map(({ section, text, place, why }) => {
      const at = place === undefined ? '' : ` (${place.file}:${place.line})`
      return `  ${section}: ${text}${at}: ${why}`
    })
    super(
      `the policy ${policy} can't be enforced here:\n${lines.join('\n')}\nchange it, or say enforcement: best-effort in it`,
    )
    this.rules = Object.freeze([...rules])
  }

  static override isInstance(value: unknown): value is UnenforceableError {
    return hasCode(value, code)
  }
}
