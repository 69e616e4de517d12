/** What a value is. `time` is in milliseconds, `bytes` in bytes, `count` neither. */
export type Kind = 'bool' | 'count' | 'bytes' | 'time' | 'path' | 'address'

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='
export type Arithmetic = '+' | '-' | '*' | '/' | '%'

/**
 * A checked expression: every node knows its kind. Numbers are unsigned, of 64 bits; arithmetic wraps, division by zero
 * gives 0 and the remainder of it the dividend, as the kernel's BPF machine has it (RFC 9669, 4.1).
 */
export type Expression =
  | { readonly op: 'operand'; readonly kind: Kind; readonly name: string }
  | { readonly op: 'number'; readonly kind: 'count' | 'bytes' | 'time'; readonly value: number }
  | { readonly op: 'bool'; readonly kind: 'bool'; readonly value: boolean }
  | { readonly op: 'not'; readonly kind: 'bool'; readonly of: Expression }
  | { readonly op: 'and' | 'or'; readonly kind: 'bool'; readonly left: Expression; readonly right: Expression }
  | { readonly op: Comparison; readonly kind: 'bool'; readonly left: Expression; readonly right: Expression }
  | {
      readonly op: Arithmetic
      readonly kind: 'count' | 'bytes' | 'time'
      readonly left: Expression
      readonly right: Expression
    }
  /** A path below or at a pattern. */
  | {
      readonly op: 'in-path'
      readonly kind: 'bool'
      readonly left: Expression
      readonly path: string
      readonly subtree: boolean
    }
  /** An address in a network. */
  | { readonly op: 'in-network'; readonly kind: 'bool'; readonly left: Expression; readonly cidr: string }
