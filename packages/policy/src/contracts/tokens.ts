export interface Token {
  readonly kind: 'word' | 'number' | 'text' | 'sign' | 'end'
  readonly text: string
  /** Where it starts in the expression. */
  readonly at: number
}

/** What is wrong with an expression, and where in it. */
export class ExpressionFault extends Error {
  constructor(
    readonly at: number,
    message: string,
    readonly suggestion?: string,
  ) {
    super(message)
  }
}

const shapes = [
  ['number', /\d+(?:\.\d+)?(?: ?[A-Za-z]+\b(?<! (?:and|or|in|not)))?/y],
  ['word', /[A-Za-z_][\w.]*/y],
  ['text', /"[^"\n]*"|'[^'\n]*'/y],
  ['sign', /==|!=|<=|>=|[<>()+\-*/%]/y],
] as const

/** @throws ExpressionFault */
export function tokens(source: string): readonly Token[] {
  const found: Token[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(source[at] ?? '')) at++
    if (at >= source.length) return [...found, { kind: 'end', text: '', at }]
    const token = tokenAt(source, at)
    if (token === undefined) throw new ExpressionFault(at, `${JSON.stringify(source[at])} means nothing here`)
    found.push(token)
    at += token.text.length
  }
}

function tokenAt(source: string, at: number): Token | undefined {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = at
    const text = shape.exec(source)?.[0]
    if (text !== undefined) return { kind, text, at }
  }
  return undefined
}
