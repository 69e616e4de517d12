import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answer, answerError } from './control-answer.js'
import { ControlError } from './control-error.js'
import { bearerToken, type ControlPolicy, readReload } from './control-request.js'
import { listenAt } from './socket-file.js'
import { TokenError } from './token-error.js'
import type { ReloadTokens, TokenAction, TokenGrant } from './tokens.js'

const mostConnections = 32

export interface ControlReload {
  readonly policy: ControlPolicy
  /** The names that were asked for, each in the token's scope; undefined: all there are. */
  readonly sandboxes: readonly string[] | undefined
  readonly token: TokenGrant
}

/** What is behind the socket. Both resolve with what JSON can say; a `PyIsolateError` is told to whoever asked. */
export interface ControlHandlers {
  reload(request: ControlReload): Promise<unknown>
  status(token: TokenGrant): Promise<unknown>
}

export interface ControlSocketOptions {
  /** Of the Unix socket. Its folder must be closed to other users' writes. */
  readonly path: string
  readonly tokens: ReloadTokens
  readonly handlers: ControlHandlers
  /** What a handler threw that is no `PyIsolateError`: a fault, which the requester isn't told about. */
  readonly onError: (error: unknown) => void
  /** For a whole request to arrive, in milliseconds. Default 10,000. */
  readonly requestTimeout?: number
}

export interface ControlSocket extends AsyncDisposable {
  readonly path: string
  /** Takes no more requests, waits for those that run, and takes the socket away. Idempotent. */
  close(): Promise<void>
}

/**
 * HTTP/1.1 on a Unix socket of mode 0600: `POST /v1/reload` and `GET /v1/status`, each with `Authorization: Bearer`.
 * A body is read only for a token that is good for something.
 * @throws ControlError
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { path, requestTimeout = 10_000 } = options
  const running = new Set<Promise<void>>()
  const server = createServer(
    {
      requestTimeout,
      headersTimeout: requestTimeout,
      connectionsCheckingInterval: Math.max(10, requestTimeout / 10),
      maxHeaderSize: 8 * 1024,
    },
    (request, response) => {
      const handled = handle(request, response, options).finally(() => running.delete(handled))
      running.add(handled)
    },
  )
  server.maxConnections = mostConnections
  // What follows a request on its connection is dropped: nothing can hide behind another one's body.
  server.maxRequestsPerSocket = 1
  const remove = await listenAt(server, path)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await remove()
    while (running.size > 0) await Promise.all(running)
    server.closeAllConnections()
    await closed
  }
  const closeOnce = (): Promise<void> => (closing ??= close())
  return { path, close: closeOnce, [Symbol.asyncDispose]: closeOnce }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: ControlSocketOptions,
): Promise<void> {
  try {
    const result = await dispatch(request, options)
    answer(response, 200, result)
    await finished(response)
  } catch (error) {
    if (request.destroyed && !request.complete) return // whoever asked went away in the middle of asking
    if (!answerError(response, error)) options.onError(error)
    await finished(response)
  }
}

async function dispatch(request: IncomingMessage, { tokens, handlers }: ControlSocketOptions): Promise<unknown> {
  const action = actionOf(request)
  const token = bearerToken(request)
  if (token === undefined) return refuse(tokens, action)
  if (action === 'status') return handlers.status(tokens.use(token, { action }))
  tokens.recognise(token, { action })
  const { policy, sandboxes } = await readReload(request)
  return handlers.reload({ policy, sandboxes, token: tokens.use(token, { action, sandboxes }) })
}

/** No token is logged like a wrong one. */
function refuse(tokens: ReloadTokens, action: TokenAction): never {
  tokens.recognise('', { action })
  throw new TokenError('unknown')
}

function actionOf({ method, url }: IncomingMessage): TokenAction {
  if (url === '/v1/reload' && method === 'POST') return 'reload'
  if (url === '/v1/status' && method === 'GET') return 'status'
  if (url === '/v1/reload' || url === '/v1/status')
    throw new ControlError('method', `expected ${url === '/v1/reload' ? 'POST' : 'GET'} for ${url}, got ${method}`)
  throw new ControlError('not-found', 'expected POST /v1/reload or GET /v1/status')
}

/** Written, or as good as: the connection is gone. */
function finished(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.writableFinished || response.req.socket.destroyed) return resolve()
    response.once('finish', resolve)
    response.req.socket.once('close', () => resolve())
  })
}
