import {
  type CompiledPolicy,
  type Explanation,
  explain,
  loadPolicy,
  PolicyError,
  PolicyTargetError,
  pathFault,
  type Variables,
} from '@pyisolate/policy'
import { readArguments } from '../arguments.js'
import { UsageError } from '../errors/usage-error.js'
import { ExitCode } from '../exit-code.js'
import { policyLearn } from '../policy-learn/command.js'
import { isPolicyReload, policyReload } from '../policy-reload/command.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { compileTarget } from './compile.js'
import { policyHelp } from './help.js'
import { readOperation } from './operation.js'
import { sourceLine } from './source-line.js'

const flags = {
  json: { type: 'boolean' },
  target: { type: 'string' },
  address: { type: 'string' },
  stdlib: { type: 'string' },
  tmp: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** `pyisolate policy`. @throws UsageError */
export async function policy(argv: readonly string[], terminal: Terminal): Promise<number> {
  if (isPolicyReload(argv)) return policyReload(argv, terminal)
  if (argv[0] === 'learn') return policyLearn(argv.slice(1), terminal)
  const { values, positionals, rest } = readArguments(argv, flags, 'policy')
  if (values.help) return say(terminal.stdout, policyHelp)
  const [action, ...subjects] = [...positionals, ...rest]
  try {
    switch (action) {
      case 'check':
        return await check(subjects, terminal)
      case 'compile': {
        const compiled = loadPolicy(only(subjects, 1, 'policy compile needs one FILE')[0]!)
        return await say(terminal.stdout, compileTarget(values.target ?? 'ir', compiled, variablesOf(values)))
      }
      case 'explain': {
        const [name, kind, subject] = only(subjects, 3, 'policy explain needs FILE OPERATION SUBJECT')
        const operation = readOperation(kind!, subject!, values.address)
        const answer = explain(loadPolicy(name!), operation, variablesOf(values))
        await say(terminal.stdout, values.json ? `${JSON.stringify(answer)}\n` : `${describe(answer)}\n`)
        return answer.allowed ? ExitCode.ok : ExitCode.exception
      }
      default:
        throw new UsageError('policy needs check, explain, compile, learn, reload or sign; see pyisolate policy --help')
    }
  } catch (error) {
    if (PolicyTargetError.isInstance(error)) throw new UsageError(error.message, { cause: error })
    if (!PolicyError.isInstance(error)) throw error
    await say(terminal.stderr, problem(error))
    return ExitCode.exception
  }
}

/** Every file, whatever is wrong with those before it. */
async function check(names: readonly string[], terminal: Terminal): Promise<number> {
  if (names.length === 0) throw new UsageError('policy check needs a FILE, or several')
  let code: number = ExitCode.ok
  for (const name of names) {
    try {
      await say(terminal.stdout, `${name}: ${summary(loadPolicy(name))}\n`)
    } catch (error) {
      if (!PolicyError.isInstance(error)) throw error
      await say(terminal.stderr, problem(error))
      code = ExitCode.exception
    }
  }
  return code
}

/** One line, and the one it is about. */
function problem(error: PolicyError): string {
  return `${error.message}\n${sourceLine(error.place)}`
}

/** @throws UsageError */
function variablesOf({ stdlib, tmp }: { readonly stdlib?: string; readonly tmp?: string }): Variables {
  for (const [flag, folder] of Object.entries({ stdlib, tmp })) {
    const wrong = folder === undefined ? undefined : pathFault(folder)
    if (wrong !== undefined) throw new UsageError(`--${flag}: ${wrong}: expected an absolute, normal path`)
  }
  return { ...(stdlib !== undefined && { STDLIB: stdlib }), ...(tmp !== undefined && { TMP: tmp }) }
}

function summary({ name, fs, net, enforcement, digest }: CompiledPolicy): string {
  const files = fs.read.length + fs.write.length + fs.exec.length + fs.deny.length
  const targets = net.connect.length + net.bind.length + net.sendto.length + net.deny.length
  return `ok: ${name}, ${files} file rules, ${targets} network rules, ${enforcement}, ${digest.slice(0, 16)}`
}

function describe({ allowed, because, place, rule }: Explanation): string {
  const where = place === undefined ? '' : `: ${place.file}:${place.line}:${place.column} (rule ${rule})`
  return `${allowed ? 'allowed' : 'denied'}, ${because}${where}`
}

function only(subjects: readonly string[], count: number, what: string): readonly string[] {
  if (subjects.length === count) return subjects
  throw new UsageError(`${what}; see pyisolate policy --help`)
}
