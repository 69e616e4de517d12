import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { probe } from '../src/index.js'
import { swaps } from './machine/connect-race.js'
import { addressRules, connectRaces, groupBandwidth, tree } from './machine/groups.js'

const support = probe().find(({ feature }) => feature === 'bpf-cgroup')
const executable = fileURLToPath(new URL('../build/Release/pyisolate-subject', import.meta.url))
const why =
  support?.supported === true && tree !== undefined ? undefined : (support?.evidence ?? 'no control groups v2')
// Root makes groups and loads programs: there it must work.
const justified = why !== undefined && process.getuid?.() !== 0

describe('programs on control groups, on this very machine', () => {
  test.for([
    ['addresses are decided as the LSM programs decide them, and events say why', addressRules],
    ['bandwidth: what passes in a second is what the bucket holds and gets, either way', groupBandwidth],
    [`connects under ${swaps} reloads: no forbidden one passes, no permitted one fails`, connectRaces],
  ] as const)('%s', async ([, holds], context) => {
    if (justified) context.skip(`needs bpf-cgroup; ${why}`)
    expect(why).toBeUndefined()
    await holds(executable)
  })
})
