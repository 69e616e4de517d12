import { parseArgs } from 'node:util'

export interface Choice {
  readonly suites: readonly string[]
  /** A file, `-` for stdout, or none. */
  readonly json: string | undefined
  readonly quick: boolean
  readonly peers: boolean
  readonly help: boolean
}

export const USAGE = `Usage: pnpm bench [suite…] [--json FILE|-] [--quick] [--no-peers]

  suite       all of them, or those of this name or below it (spawn, spawn.process, oneshot …)
  --json      also writes { machine, node, python, commit, figures } to FILE, or to stdout (the table then goes to stderr)
  --quick     a few rounds of each: shows that everything runs; its figures mean nothing
  --no-peers  without the rivals
`

export class UsageError extends Error {}

/** @throws UsageError on an unknown option or suite */
export function parseChoice(argv: readonly string[], known: readonly string[]): Choice {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(argv)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  for (const wanted of positionals) {
    if (!known.some((name) => isBelow(name, wanted)))
      throw new UsageError(`there is no suite ${wanted}; there are ${known.join(', ')}`)
  }
  const suites =
    positionals.length === 0 ? known : known.filter((name) => positionals.some((wanted) => isBelow(name, wanted)))
  const { json, quick = false, help = false } = values
  return { suites, json, quick, help, peers: values['no-peers'] !== true }
}

function parse(argv: readonly string[]) {
  return parseArgs({
    // pnpm hands over the `--` that npm needs.
    args: argv.filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      quick: { type: 'boolean' },
      'no-peers': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
}

const isBelow = (name: string, wanted: string) => name === wanted || name.startsWith(`${wanted}.`)
