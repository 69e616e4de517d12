const identifier = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u

/** Python's keywords of 3.13; the soft ones are good names. */
const keywords = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
)

export function isIdentifier(text: string): boolean {
  return text.length <= 200 && identifier.test(text) && !keywords.has(text)
}

/** Dotted; as `import` takes it. */
export function isModuleName(text: string): boolean {
  return text.length <= 400 && text.split('.').every(isIdentifier)
}
