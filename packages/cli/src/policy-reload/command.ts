import { PolicyError } from '@pyisolate/policy'
import { readArguments } from '../arguments.js'
import { UsageError } from '../errors/usage-error.js'
import { ExitCode } from '../exit-code.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { policyReloadHelp } from './help.js'
import { reload } from './reload.js'
import { sign } from './sign.js'

const help = { help: { type: 'boolean', short: 'h' } } as const
const reloadFlags = {
  ...help,
  socket: { type: 'string' },
  'token-file': { type: 'string' },
  sandbox: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const
const signFlags = { ...help, key: { type: 'string' }, revision: { type: 'string' }, out: { type: 'string' } } as const

/** Whether `pyisolate policy …` is one of the commands here. */
export function isPolicyReload([action]: readonly string[]): boolean {
  return action === 'reload' || action === 'sign'
}

/** `pyisolate policy reload` and `sign`. @throws UsageError */
export async function policyReload([action, ...argv]: readonly string[], terminal: Terminal): Promise<number> {
  try {
    if (action === 'reload') {
      const { values, positionals, rest } = readArguments(argv, reloadFlags, 'policy reload')
      if (values.help) return await say(terminal.stdout, policyReloadHelp)
      const { socket, sandbox: sandboxes, json = false } = values
      const file = one([...positionals, ...rest], 'reload')
      return await reload(file, { socket, tokenFile: values['token-file'], sandboxes, json }, terminal)
    }
    const { values, positionals, rest } = readArguments(argv, signFlags, 'policy sign')
    if (values.help) return await say(terminal.stdout, policyReloadHelp)
    const { key, revision, out } = values
    return await sign(one([...positionals, ...rest], 'sign'), { key, revision, out }, terminal)
  } catch (error) {
    if (!PolicyError.isInstance(error)) throw error
    await say(terminal.stderr, `${error.message}\n`)
    return ExitCode.exception
  }
}

function one(files: readonly string[], action: string): string {
  if (files.length === 1) return files[0]!
  throw new UsageError(`policy ${action} needs one FILE; see pyisolate policy ${action} --help`)
}
