export interface Outcome {
  /** '' when it went well. */
  readonly error: string
  readonly ms: number
}

/** What test/machine/main.ts prints: a line of JSON for each scenario. */
export function outcomesIn(stdout: string): ReadonlyMap<string, Outcome> {
  const lines = stdout.split('\n').flatMap((line) => /^RESULT (.*)$/.exec(line)?.[1] ?? [])
  return new Map(
    lines.map((line) => {
      const { name, ...outcome } = JSON.parse(line) as Outcome & { name: string }
      return [name, outcome]
    }),
  )
}
