import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sandbox } from '@pyisolate/core'
import { compilePolicy } from '@pyisolate/policy'
import { type Figure, figure, type Peer, peer } from '../figure.js'
import { alternate, nsToUs } from '../internal/alternate.js'
import { check, type Suite } from '../suite.js'

/** Timed in the guest, call by call: what a program in Python waits for. */
const guest = `
import os, socket
from time import perf_counter_ns as now
def opens(path, count):
    samples = []
    for _ in range(count):
        start = now()
        fd = os.open(path, os.O_RDONLY)
        samples.append(now() - start)
        right = os.read(fd, 9) == b'opened'
        os.close(fd)
        if not right: return []
    return samples
def connects(port, count):
    samples = []
    address = ('127.0.0.1', port)
    for _ in range(count):
        with socket.socket() as s:
            start = now()
            s.connect(address)
            samples.append(now() - start)
            if s.getpeername() != address: return []
    return samples
`

interface Place {
  readonly file: string
  readonly port: number
}

async function samplesOf(sandbox: Sandbox, what: string, ...args: (string | number)[]): Promise<number[]> {
  const samples = await sandbox.call<number[]>(what, args)
  check(samples.length === args.at(-1), what)
  return nsToUs(samples)
}

function brokerSuite(
  name: string,
  batch: number,
  measure: (sandbox: Sandbox, place: Place, count: number) => Promise<number[]>,
): Suite {
  return {
    name,
    limit: 'a bare seccomp notification, there and back between two processes',
    async run(context): Promise<Figure[]> {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'pyisolate-bench-')))
      const file = join(folder, 'file')
      writeFileSync(file, 'opened')
      const server = createServer((socket) => socket.on('error', () => {}).destroy())
      try {
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
        const place = { file, port: (server.address() as { port: number }).port }
        await using supervisor = context.supervisor({ pool: { size: 0 } })
        await using unconfined = context.unconfined(0)
        using limits = context.limits()
        const policy = compilePolicy(`version: 1
extends: stdlib.readonly
fs:
  read: ['${folder}/**']
net:
  connect: ['tcp://127.0.0.1:${place.port}']
`)
        const ruled = await supervisor.spawn('ruled', { policy })
        const plain = await unconfined?.spawn('plain')
        for (const sandbox of [ruled, plain]) await sandbox?.exec(guest)

        context.step('measuring')
        const count = context.count(batch, 3)
        const parts = [
          () => measure(ruled, place, count),
          () => limits.samples(`notify ${count} 0`),
          ...(plain ? [() => measure(plain, place, count)] : []),
        ]
        await alternate(context.count(10, 1), parts) // to warm up
        const samples = await alternate(context.count(60, 2), parts)
        await Promise.all([ruled.close(), plain?.close()])
        const peers: Peer[] = plain ? [peer('the plain call', samples[2]!)] : []
        return [figure({ name, unit: 'µs', samples: samples[0]!, limit: nsToUs(samples[1]!), peers })]
      } finally {
        server.close()
        rmSync(folder, { recursive: true })
      }
    },
  }
}

export const policyBrokerOpen = brokerSuite('policy.broker.open', 100, (sandbox, { file }, count) =>
  samplesOf(sandbox, 'opens', file, count),
)

export const policyBrokerConnect = brokerSuite('policy.broker.connect', 30, (sandbox, { port }, count) =>
  samplesOf(sandbox, 'connects', port, count),
)
