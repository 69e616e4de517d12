import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ControlSocketOptions, openControlSocket } from '../../src/internal/reload/control-socket.js'
import { ReloadTokens, type TokenUse } from '../../src/internal/reload/tokens.js'

export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'pyi-control-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An endpoint on a real socket whose handlers remember what they were asked. */
export async function control(options: Partial<ControlSocketOptions> = {}) {
  const asked: unknown[] = []
  const faults: unknown[] = []
  const log: TokenUse[] = []
  const tokens = new ReloadTokens({ onUse: (use) => log.push(use) })
  const path = join(folder(), 'control.sock')
  const handlers = {
    reload: async (request: unknown) => {
      asked.push(request)
      return { generation: 2 }
    },
    status: async () => ({ state: 'current' }),
  }
  const socket = await openControlSocket({ path, tokens, handlers, onError: (error) => faults.push(error), ...options })
  onTestFinished(() => socket.close())
  const { token } = tokens.mint({ expiresIn: 60_000 })
  return { path, socket, tokens, token, asked, faults, log }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

export interface Ask {
  readonly method?: string
  readonly url?: string
  readonly token?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** In place of `body` as JSON. */
  readonly raw?: string | Buffer
}

export function ask(
  socketPath: string,
  { method = 'POST', url = '/v1/reload', token, headers, body, raw }: Ask,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const own = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(method === 'POST' && { 'content-type': 'application/json' }),
      ...headers,
    }
    const sent = request({ socketPath, path: url, method, headers: own }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text === '' ? '' : JSON.parse(text) }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(raw ?? (method === 'POST' ? JSON.stringify(body ?? { template: 'compute' }) : undefined))
  })
}
