/** Where a walk stands in a value: a linked list, so that it costs nothing until an error names it. */
export interface Path {
  readonly parent: Path | undefined
  /** The container that is left by this step. */
  readonly container: object
  /** A property or `Map` key, an index, or a place in a `Set`. */
  readonly kind: 'property' | 'index' | 'mapKey' | 'mapValue' | 'element'
  step: unknown
}

const identifier = /^[A-Za-z_$][\w$]*$/

/** `$.rows[3].fn`; `root` replaces the `$`. */
export function printPath(path: Path | undefined, root = '$'): string {
  const steps: string[] = []
  for (let at = path; at !== undefined; at = at.parent) steps.push(printStep(at))
  return root + steps.reverse().join('')
}

function printStep({ kind, step }: Path): string {
  switch (kind) {
    case 'property':
      return identifier.test(step as string) ? `.${step as string}` : `[${short(step)}]`
    case 'index':
      return `[${step as number}]`
    case 'mapValue':
      return `.get(${short(step)})`
    case 'mapKey':
      return `.keys()[${short(step)}]`
    case 'element':
      return `{element ${step as number}}`
  }
}

function short(step: unknown): string {
  if (typeof step === 'string') return JSON.stringify(step.length > 40 ? `${step.slice(0, 40)}…` : step)
  if (typeof step === 'object' && step !== null) return 'an object'
  return String(step)
}
