import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type RemoteOptions, remotePolicy, signPolicy } from '../src/index.js'
import { closing } from './sources-support.js'

export const { publicKey, privateKey } = generateKeyPairSync('ed25519')

export type Handle = (request: IncomingMessage, response: ServerResponse) => void

export interface TestServer {
  readonly url: string
  readonly requests: readonly IncomingMessage[]
  handle: Handle
}

/** A real one, whose handler a test may change; gone after the test, with every connection. */
export async function serve(handle: Handle, path = '/policy.yaml'): Promise<TestServer> {
  const requests: IncomingMessage[] = []
  const served = { url: '', requests, handle }
  const server = createServer((request, response) => {
    requests.push(request)
    served.handle(request, response)
  })
  served.url = `http://127.0.0.1:${await listen(server)}${path}`
  return served
}

/** @returns the port */
export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket))))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Answers with a document signed in the header. */
export function signed(
  text: string | Buffer,
  revision: number,
  { headers = {}, key = privateKey }: { headers?: Record<string, string>; key?: KeyObject } = {},
): Handle {
  return (_, response) =>
    response.writeHead(200, { 'pyisolate-signature': signPolicy(text, revision, key), ...headers }).end(text)
}

/** Checks when told to, and by itself only once an hour. */
export function remote(url: string, options: Partial<RemoteOptions> = {}) {
  return closing(remotePolicy({ url, publicKey, interval: 3_600_000, ...options }))
}
