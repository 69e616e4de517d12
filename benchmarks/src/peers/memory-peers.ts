import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Context } from '../context.js'
import { type Peer, peer } from '../figure.js'
import { memoryOf } from '../internal/smaps.js'
import { askRival, freshPython, IN_PROCESS, inBubblewrap, missingBubblewrap, rival } from './rivals.js'
import { inTurn } from './spawn-peers.js'

const IDLE = 'import sys\nfirst = 6 * 7\nprint(first, flush=True)\nsys.stdin.read()'

/** Private KiB of the rivals, each idle after a first line. */
export async function memoryPeers(context: Context): Promise<Peer[]> {
  if (!context.peers) return []
  context.step('peers')
  const fresh = freshPython(context, IDLE)
  const confined = inBubblewrap(fresh)
  return [
    await processes(context, 'python -I -S', fresh),
    confined ? await processes(context, missingBubblewrap.name, confined) : missingBubblewrap,
    ...(await inTurn(IN_PROCESS, (one) =>
      rival(one.name, async () => peer(`${one.name}, added to this process`, [(await askRival(one, 'memory')).value!])),
    )),
  ]
}

function processes(context: Context, name: string, [command, ...args]: string[]): Promise<Peer> {
  return rival(name, async () => {
    const children: ChildProcess[] = []
    try {
      const samples: number[] = []
      for (let i = 0; i < context.count(5, 1); i++) {
        const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
        children.push(child)
        await once(child.stdout, 'data')
        samples.push(memoryOf(child.pid!).private)
      }
      return peer(name, samples)
    } finally {
      for (const child of children) child.kill('SIGKILL')
    }
  })
}
