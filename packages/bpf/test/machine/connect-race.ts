import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BpfPolicy } from '../../src/index.js'
import { policy } from './lab.js'
import { net, udp } from './rules.js'
import type { Subject } from './subject.js'

export const swaps = 10_000
const permitted = 8141
const forbidden = 8142

/** The same rules in other words. */
export const forms: readonly [BpfPolicy, BpfPolicy] = [
  policy({ nets: [net('127.0.0.1', 32, [permitted, permitted], { protocol: udp })] }),
  policy({
    nets: [
      net('127.0.0.1', 32, [forbidden, forbidden], { deny: true, ops: 7, protocol: udp, rule: 1 }),
      net('127.0.0.0', 8, [permitted, forbidden], { protocol: udp, rule: 2 }),
    ],
  }),
]

/** Connects while the policy is replaced: no forbidden one passes, no permitted one fails. Outside, both pass. */
export async function raceConnects(
  confined: Subject,
  outside: Subject,
  reload: (form: 0 | 1, filledAnew: boolean) => void,
): Promise<void> {
  const hammer = (subject: Subject, thread: string, port: number) =>
    subject.number(thread, `hammer-connect 127.0.0.1 ${port}`)
  await outside.call('main', 'start')
  const passing = hammer(outside, 'a', forbidden)
  await sleep(20)
  await outside.call('main', 'stop')
  assert.ok((await passing) > 0)
  await confined.call('main', 'start')
  const refused = ['a', 'b'].map((thread) => hammer(confined, thread, forbidden))
  const insisted = confined.number('c', `insist-connect 127.0.0.1 ${permitted}`)
  for (let i = 1; i <= swaps; i++) {
    reload((i % 2) as 0 | 1, i % 500 === 499)
    // In the virtual machine these are three threads more than there are processors.
    if (i % 100 === 0) await sleep(1)
  }
  await confined.call('main', 'stop')
  assert.deepEqual(await Promise.all(refused), [0, 0])
  assert.equal(await insisted, 0)
}
