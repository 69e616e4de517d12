import { constants } from 'node:os'
import type { CellExit } from '@pyisolate/interface'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../src/internal/options/limits.js'
import { decideOutcome, type Evidence } from '../../src/internal/session/decide-outcome.js'
import { Reason } from '../../src/internal/session/reason.js'

const { SIGKILL, SIGSEGV, SIGXCPU } = constants.signals
const exit = (how: Partial<CellExit>): CellExit => ({
  code: null,
  signal: null,
  killedBy: null,
  userMs: 0,
  systemMs: 0,
  maxRssKiB: 0,
  ...how,
})
const killed = (reason: string, rest: Partial<CellExit> = {}) => exit({ signal: SIGKILL, killedBy: reason, ...rest })
const said = (kind: 'exit' | 'cpu' | 'closed' | 'memory' | 'refused' | 'internal', code = 0, message = '') => ({
  kind,
  code,
  message,
})

const table: [string, Partial<Evidence> & { exit: CellExit }, object][] = [
  ['exit 0', { exit: exit({ code: 0 }) }, { kind: 'exit', code: 0 }],
  ['exit 3', { exit: exit({ code: 3 }) }, { kind: 'exit', code: 3 }],
  ['SystemExit', { exit: exit({ code: 0 }), exitFrame: said('exit', 5) }, { kind: 'exit', code: 5 }],
  ['a signal', { exit: exit({ signal: SIGSEGV }) }, { kind: 'signal', signal: 'SIGSEGV' }],
  ['a signal without a name', { exit: exit({ signal: 44 }) }, { kind: 'signal', signal: 'signal 44' }],
  ['kill -9 from outside', { exit: exit({ signal: SIGKILL }) }, { kind: 'signal', signal: 'SIGKILL' }],
  ['close, in good order', { exit: exit({ code: 0 }), exitFrame: said('closed'), closing: true }, { kind: 'closed' }],
  ['close, by force', { exit: killed(Reason.closed), closing: true }, { kind: 'closed' }],
  [
    'close of one that exits meanwhile',
    { exit: exit({ code: 0 }), exitFrame: said('exit', 4), closing: true },
    { kind: 'exit', code: 4 },
  ],
  ['close of one that crashes meanwhile', { exit: exit({ signal: SIGSEGV }), closing: true }, { kind: 'closed' }],
  ['the engine closed', { exit: killed(Reason.closed) }, { kind: 'closed' }],
  [
    'it lingers after its last word',
    { exit: killed(Reason.closed), exitFrame: said('exit', 6) },
    { kind: 'exit', code: 6 },
  ],
  ['call time', { exit: killed(Reason.callTime(500)) }, { kind: 'timeout', limit: 'call', ms: 500 }],
  ['wall time', { exit: killed(Reason.wallTime(700)) }, { kind: 'timeout', limit: 'wall', ms: 700 }],
  [
    'a killed one that has forged an exit',
    { exit: killed(Reason.callTime(500)), exitFrame: said('exit') },
    { kind: 'timeout', limit: 'call', ms: 500 },
  ],
  [
    'a limit that strikes on closing',
    { exit: killed(Reason.callTime(500)), closing: true },
    { kind: 'timeout', limit: 'call', ms: 500 },
  ],
  ['CPU time', { exit: killed('cpu'), limits: { ...defaultLimits, cpuTime: 900 } }, { kind: 'cpu', ms: 900 }],
  [
    'CPU time, by the kernel',
    { exit: exit({ signal: SIGXCPU }), limits: { ...defaultLimits, cpuTime: 900 } },
    { kind: 'cpu', ms: 900 },
  ],
  ['SIGXCPU without a limit', { exit: exit({ signal: SIGXCPU }) }, { kind: 'signal', signal: 'SIGXCPU' }],
  [
    'CPU time, in a shared cell',
    { exit: exit({ code: 0 }), exitFrame: said('cpu'), limits: { ...defaultLimits, cpuTime: 900 } },
    { kind: 'cpu', ms: 900 },
  ],
  ['output', { exit: killed(Reason.output(1000)) }, { kind: 'output', bytes: 1000 }],
  ['memory', { exit: exit({ code: 1 }), exitFrame: said('memory') }, { kind: 'memory', bytes: 2 ** 28 }],
  ['aborted', { exit: killed(Reason.aborted) }, { kind: 'aborted' }],
  [
    'refused',
    { exit: exit({ code: 1 }), exitFrame: said('refused', 0, 'no seccomp') },
    { kind: 'refused', detail: 'no seccomp' },
  ],
  [
    'internal',
    { exit: exit({ code: 1 }), exitFrame: said('internal', 0, 'oops') },
    { kind: 'internal', detail: 'oops' },
  ],
  [
    'protocol, before everything',
    { exit: exit({ code: 0 }), protocol: 'junk', exitFrame: said('exit'), closing: true },
    { kind: 'protocol', detail: 'junk' },
  ],
  ['protocol, by the engine', { exit: killed(Reason.protocol('a: b')) }, { kind: 'protocol', detail: 'a: b' }],
  [
    'a reason of the engine itself',
    { exit: killed('whim') },
    { kind: 'internal', detail: 'its engine ended it: whim' },
  ],
  [
    'a cell that another one brought down',
    { exit: killed(Reason.callTime(500), { cell: { name: 'c', culprit: 'other' } }) },
    { kind: 'cell', cell: 'c', detail: { kind: 'timeout', limit: 'call', ms: 500, message: expect.any(String) } },
  ],
  [
    'a cell that this one brought down',
    { exit: killed(Reason.callTime(500), { cell: { name: 'c', culprit: 'me' } }) },
    { kind: 'timeout', limit: 'call', ms: 500 },
  ],
  [
    'a cell that crashed, on closing',
    { exit: exit({ signal: SIGSEGV, cell: { name: 'c', culprit: null } }), closing: true },
    { kind: 'cell', cell: 'c', detail: { kind: 'signal', signal: 'SIGSEGV', message: 'it died of SIGSEGV' } },
  ],
]

describe('the outcome of', () => {
  it.each(table)('%s', (_name, evidence, outcome) => {
    const decided = decideOutcome({ name: 'me', closing: false, limits: defaultLimits, ...evidence })
    expect(decided).toEqual({ ...outcome, message: expect.stringMatching(/^(it|a|its|this) /) })
    expect(Object.isFrozen(decided)).toBe(true)
  })
})
