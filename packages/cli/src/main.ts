import { readFileSync } from 'node:fs'
import type { Engine } from '@pyisolate/core'
import { doctor } from './doctor/command.js'
import { UsageError } from './errors/usage-error.js'
import { ExitCode } from './exit-code.js'
import { doctorHelp, mainHelp, policyHelp, runHelp } from './help.js'
import { policy } from './policy/command.js'
import { run } from './run/command.js'
import { say } from './say.js'
import type { Terminal } from './terminal.js'

export interface MainOptions {
  /** In place of `@pyisolate/native`'s; it is closed with the command. */
  readonly engine?: Engine
}

const helps: Readonly<Record<string, string>> = { run: runHelp, doctor: doctorHelp, policy: policyHelp }

/** One command, from its arguments to its exit code. Never rejects for what the user or the guest does. */
export async function main(argv: readonly string[], terminal: Terminal, options: MainOptions = {}): Promise<number> {
  const [command, ...rest] = argv
  try {
    switch (command) {
      case 'run':
        return await run(rest, terminal, options.engine)
      case 'doctor':
        return await doctor(rest, terminal, options.engine)
      case 'policy':
        return await policy(rest, terminal)
      case 'help':
      case '--help':
      case '-h':
        return await say(terminal.stdout, helps[rest[0] ?? ''] ?? mainHelp)
      case 'version':
      case '--version':
      case '-V':
        return await say(terminal.stdout, `${version()}\n`)
      case undefined:
        await say(terminal.stderr, mainHelp)
        return ExitCode.usage
      default:
        throw new UsageError(`there is no command ${JSON.stringify(command)}; see pyisolate --help`)
    }
  } catch (error) {
    const usage = UsageError.isInstance(error)
    const text = usage ? error.message : `a fault of PyIsolate: ${error instanceof Error ? error.stack : error}`
    await say(terminal.stderr, `pyisolate: ${text}\n`)
    return usage ? ExitCode.usage : ExitCode.failure
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}
