import type { Engine } from '@pyisolate/interface'
import { readArguments } from '../arguments.js'
import { UsageError } from '../errors/usage-error.js'
import { ExitCode } from '../exit-code.js'
import { doctorHelp } from '../help.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { render } from './render.js'
import { examine } from './report.js'

/** `pyisolate doctor`. @throws UsageError */
export async function doctor(argv: readonly string[], terminal: Terminal, engine?: Engine): Promise<number> {
  const flags = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
  const { values, positionals, rest } = readArguments(argv, flags, 'doctor')
  if (values.help) return say(terminal.stdout, doctorHelp)
  const extra = [...positionals, ...rest][0]
  if (extra !== undefined) throw new UsageError(`doctor takes no argument ${JSON.stringify(extra)}`)
  const report = await examine(engine)
  await say(terminal.stdout, values.json ? `${JSON.stringify(report, null, 2)}\n` : render(report, styleOf(terminal)))
  return report.ready ? ExitCode.ok : ExitCode.exception
}

/** Colour for people at a terminal who haven't said no (no-color.org). */
function styleOf({ stdout, env }: Terminal): { colour: boolean; columns: number } {
  const colour = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  return { colour, columns: Math.min(stdout.columns ?? 100, 120) }
}
