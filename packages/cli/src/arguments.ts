import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from './errors/usage-error.js'

type Options = NonNullable<ParseArgsConfig['options']>

type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; strict: true; allowPositionals: true }>>

export interface Arguments<T extends Options> {
  readonly values: Parsed<T>['values']
  readonly positionals: readonly string[]
  readonly rest: readonly string[]
}

/** `util.parseArgs`, with its errors as `UsageError`; what stands after `--` is kept apart. */
export function readArguments<const T extends Options>(
  argv: readonly string[],
  options: T,
  command: string,
): Arguments<T> {
  const split = argv.indexOf('--')
  const own = split < 0 ? argv : argv.slice(0, split)
  try {
    const { values, positionals } = parseArgs({ args: [...own], options, strict: true, allowPositionals: true })
    return { values, positionals, rest: split < 0 ? [] : argv.slice(split + 1) }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // Only the first sentence: what follows is advice for other commands.
    const text = error.message.split(/\. |\n/)[0]!
    throw new UsageError(`${text}; see pyisolate ${command} --help`, { cause: error })
  }
}
