import type { Engine } from '@pyisolate/interface'
import { createNativeEngine } from '@pyisolate/native'
import { exitCodeOf, type RunOutcome } from '../exit-code.js'
import { runHelp } from '../help.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { EndEarly } from './end-early.js'
import { JsonReporter } from './json-reporter.js'
import { parseRun } from './options.js'
import { Output } from './output.js'
import { readProgram } from './program.js'
import { Runner } from './runner.js'
import { TappedEngine } from './tap.js'
import { TextReporter } from './text-reporter.js'

/** `pyisolate run`. @throws UsageError */
export async function run(argv: readonly string[], terminal: Terminal, engine?: Engine): Promise<number> {
  const options = parseRun(argv)
  if (options === undefined) return say(terminal.stdout, runHelp)
  const program = await readProgram(options.file, terminal.stdin)

  using output = new Output(terminal, {
    onRoom: () => tapped.release(),
    onBroken: (error) => runner.end(brokenOutput(error)),
  })
  const reporter = options.json ? new JsonReporter(output) : new TextReporter(output)
  const runner = new Runner(
    options,
    (error) => reporter.raised(error),
    (denial) => reporter.denied(denial),
  )
  // Blank cells are for those who start more than one sandbox.
  await using tapped = new TappedEngine(engine ?? createNativeEngine({ pool: 0 }), reporter, options.output)
  using signals = new EndEarly(terminal, runner)

  const outcome = await runner.run(program, tapped)
  const code = exitCodeOf(outcome)
  reporter.ended(outcome, code)
  await signals.wait(output.flush())
  return code
}

function brokenOutput(error: NodeJS.ErrnoException): RunOutcome {
  if (error.code === 'EPIPE') return { kind: 'signal', signal: 'SIGPIPE', message: 'whoever read the output has gone' }
  const detail = `the output can't be written: ${error.message}`
  return { kind: 'internal', detail, message: detail }
}
