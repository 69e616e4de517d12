import type { Context } from '../context.js'
import { type Peer, peer } from '../figure.js'
import { nsToUs } from '../internal/alternate.js'
import type { LineClient } from '../internal/line-client.js'
import { askRival, freshPython, IN_PROCESS, inBubblewrap, missingBubblewrap, rival } from './rivals.js'

/** How long the rivals take to their first line. */
export async function spawnPeers(context: Context, limits: LineClient): Promise<Peer[]> {
  if (!context.peers) return []
  context.step('peers')
  const count = context.count(30, 2)
  const fresh = freshPython(context, 'print(6 * 7 == 42 and 1)')
  const started = (name: string, argv: readonly string[]) =>
    rival(name, async () => peer(name, nsToUs(await limits.samples(`spawn ${count} 2000 ${argv.join('\t')}`))))
  const confined = inBubblewrap(fresh)
  return [
    await started('python -I -S', fresh),
    confined ? await started(missingBubblewrap.name, confined) : missingBubblewrap,
    ...(await inTurn(IN_PROCESS, (one) =>
      rival(one.name, async () => {
        const n = one.module === 'pyodide' ? context.count(5, 1) : count
        const { samples } = await askRival(one, 'spawn', n)
        return peer(one.name, nsToUs(samples!))
      }),
    )),
  ]
}

export async function inTurn<T, R>(list: readonly T[], body: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const one of list) results.push(await body(one))
  return results
}
