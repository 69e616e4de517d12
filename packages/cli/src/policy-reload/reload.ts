import { isAbsolute } from 'node:path'
import { bundlePolicy, loadPolicy } from '@pyisolate/policy'
import { UsageError } from '../errors/usage-error.js'
import { ExitCode } from '../exit-code.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { postReload } from './control-client.js'
import { readSecret } from './secret-file.js'

export interface ReloadOptions {
  readonly socket: string | undefined
  readonly tokenFile: string | undefined
  readonly sandboxes: readonly string[] | undefined
  readonly json: boolean
}

/** `pyisolate policy reload`. The policy is checked here first, so that a bad one uses up no token. @throws UsageError, PolicyError */
export async function reload(file: string, options: ReloadOptions, terminal: Terminal): Promise<number> {
  const { socket, tokenFile, sandboxes, json } = options
  if (socket === undefined)
    throw new UsageError('policy reload needs --socket PATH; see pyisolate policy reload --help')
  const { policy, body } = prepare(file)
  const token = readToken(tokenFile, terminal)
  const reply = await postReload(socket, token, { ...body, ...(sandboxes !== undefined && { sandboxes }) })
  if (reply.kind === 'none') {
    await say(terminal.stderr, `pyisolate: no supervisor answers at ${socket}: ${plain(reply.why)}\n`)
    return ExitCode.failure
  }
  const done = reply.status === 200
  if (json) await say(terminal.stdout, `${JSON.stringify(reply.body)}\n`)
  else if (done)
    await say(
      terminal.stdout,
      `reloaded: ${policy.name}, ${policy.digest.slice(0, 16)}, ${JSON.stringify(reply.body)}\n`,
    )
  else await say(terminal.stderr, `pyisolate: the supervisor refused: ${reason(reply.status, reply.body)}\n`)
  return done ? ExitCode.ok : ExitCode.exception
}

function prepare(file: string) {
  // As `loadPolicy` tells them apart.
  if (!file.startsWith('.') && !isAbsolute(file)) return { policy: loadPolicy(file), body: { template: file } }
  const { policy, bundle } = bundlePolicy(file)
  return { policy, body: { documents: bundle } }
}

function readToken(file: string | undefined, { env }: Terminal): string {
  const token = (file === undefined ? env.PYISOLATE_TOKEN : readSecret(file, 'the token'))?.trim()
  if (token === undefined || token === '')
    throw new UsageError('policy reload needs a token: --token-file FILE, or the variable PYISOLATE_TOKEN')
  // Not quoted: what was given may still be a secret.
  if (!/^[\w.~+/-]{1,256}=*$/.test(token)) throw new UsageError('the token has characters that no token has')
  return token
}

function reason(status: number, body: unknown): string {
  const { code, message } = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error ?? {}
  return plain(typeof message === 'string' ? `${message} (${String(code)})` : `status ${status}`)
}

/** Another process's words, without what a terminal obeys. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').slice(0, 2000)
}
