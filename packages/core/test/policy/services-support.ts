import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { CompiledPolicy, SpawnOptions, Supervisor } from '../../src/index.js'
import { policy, type Ruled, ruled } from './support.js'

/** How a sandbox comes to be judged: `policy` brokers its cell as well, `services` leaves that as it is. */
export const ways: readonly [string, (rules: CompiledPolicy) => SpawnOptions][] = [
  ['a brokered process', (rules) => ({ policy: rules, isolation: 'process' })],
  ['a process without a broker', (rules) => ({ services: rules, isolation: 'process' })],
  ['a brokered interpreter', (rules) => ({ policy: rules, isolation: 'interpreter' })],
  ['an interpreter without a broker', (rules) => ({ services: rules, isolation: 'interpreter' })],
]

export const prelude = `
import pyisolate, threading, time
def get(path, mode="r"):
    with pyisolate.open(path, mode) as file:
        return file.read()
def put(path, text="x", mode="w"):
    with pyisolate.open(path, mode) as file:
        return file.write(text)
def ask(address, text=b"hello", timeout=5):
    with pyisolate.connect(address, timeout=timeout) as s:
        s.sendall(text)
        return s.recv()
`

export type Way = (rules: CompiledPolicy) => SpawnOptions

export async function served(
  supervisor: Supervisor,
  way: Way,
  sections: string,
  more: SpawnOptions = {},
): Promise<Ruled> {
  const guest = await ruled(supervisor, { ...more, ...way(policy(sections)) })
  await guest.sandbox.exec(prelude)
  return guest
}

export async function listen(
  server: Server,
  where: { port: number; host: string } | { path: string },
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(where, resolve))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

export const echo = (): Server => createServer((socket) => socket.on('error', () => {}).pipe(socket))
export const local = { host: '127.0.0.1', port: 0 }
