import { expect, it } from 'vitest'
import { exitCodeOf, type RunOutcome } from '../src/index.js'

const message = ''
const table: readonly (readonly [RunOutcome, number])[] = [
  [{ kind: 'closed', message }, 0],
  [{ kind: 'exit', code: 0, message }, 0],
  [{ kind: 'exit', code: 256 + 3, message }, 3],
  [{ kind: 'timeout', limit: 'call', ms: 1, message }, 124],
  [{ kind: 'timeout', limit: 'wall', ms: 1, message }, 124],
  [{ kind: 'memory', bytes: 1, message }, 137],
  [{ kind: 'cpu', ms: 1, message }, 152],
  [{ kind: 'output', bytes: 1, message }, 153],
  [{ kind: 'signal', signal: 'SIGSEGV', message }, 139],
  [{ kind: 'signal', signal: 'signal 40', message }, 168],
  [{ kind: 'signal', signal: 'SIGPIPE', message }, 141],
  [{ kind: 'interrupted', signal: 'SIGINT', message }, 130],
  [{ kind: 'aborted', message }, 130],
  [{ kind: 'refused', detail: '', message }, 126],
  [{ kind: 'engine-missing', detail: '', message }, 127],
  [{ kind: 'spawn', detail: '', message }, 125],
  [{ kind: 'protocol', detail: '', message }, 125],
  [{ kind: 'internal', detail: '', message }, 125],
  [{ kind: 'cell', cell: 'c', detail: { kind: 'cpu', ms: 1, message }, message }, 152],
]

it.each(table)('%j is %i', (outcome, code) => {
  expect(exitCodeOf(outcome)).toBe(code)
})
