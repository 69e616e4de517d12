/** What one CBOR value may cost, both ways; guards the side that reads against the side that writes. */
export interface Budget {
  /** Encoded size. */
  readonly bytes: number
  /** Nesting of arrays, maps and sets: a scalar has depth 0, `[]` has depth 1. */
  readonly depth: number
  /** Data items: every scalar, container, element, key and value counts one; tags don't. */
  readonly items: number
}

export const defaultBudget: Budget = Object.freeze({ bytes: 64 * 1024 * 1024, depth: 64, items: 1_000_000 })

/** Our own recursion over values stays far from the end of the stack below this. */
export const maxDepth = 512
