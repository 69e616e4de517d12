import { readFileSync } from 'node:fs'
import { skipUnless } from '@pyisolate/test-kit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Supervisor } from '../../src/index.js'
import { attemptConfined, attemptUnconfined } from './support/attempt.js'
import { Host } from './support/host.js'
import { syscalls } from './support/python.js'

type Calls = Record<string, (string | number)[]>

const all: Calls = JSON.parse(readFileSync(new URL('support/calls.json', import.meta.url), 'utf8'))
/** Those that this architecture has. */
const calls: Calls = Object.fromEntries(Object.entries(all).filter(([name]) => name in syscalls))
const stopped = ['EPERM', 'EACCES', 'ENOSYS', 'SIGSYS']

let host: Host
let supervisor: Supervisor
const unconfined = new Map<string, string>()
const confined = { process: new Map<string, string>(), interpreter: new Map<string, string>() }

/** Tries them all; a call that is punished by death is the last of its sandbox, and the next one goes on. */
async function tryConfined(isolation: 'process' | 'interpreter', answers: Map<string, string>): Promise<void> {
  let left = Object.entries(calls)
  for (let round = 0; left.length > 0; round++) {
    const sandbox = await supervisor.spawn(`${isolation}-${round}`, { isolation })
    const { end } = await attemptConfined(sandbox, 'all-calls', { ...host.arena, calls: Object.fromEntries(left) })
    const outcome = await sandbox.close()
    for await (const message of sandbox.messages()) answers.set(...(message as [string, string]))
    left = left.filter(([name]) => !answers.has(name))
    const [deadly] = left.shift() ?? []
    if (deadly) answers.set(deadly, outcome.kind === 'signal' ? outcome.signal : (end ?? 'unanswered'))
  }
}

beforeAll(async () => {
  host = await Host.start()
  supervisor = createSupervisor()
  const { posted, report } = await attemptUnconfined('all-calls', { ...host.arena, calls }, host.secret)
  expect(report).toMatchObject({ succeeded: true })
  for (const answer of posted) unconfined.set(...(answer as [string, string]))
  await tryConfined('process', confined.process)
  await tryConfined('interpreter', confined.interpreter)
}, 60_000)
afterAll(async () => {
  await supervisor?.close()
  host?.stop()
})

describe.each(Object.keys(calls))('%s', (name) => {
  it('is stopped before the kernel considers it', (context) => {
    expect(stopped).toContain(confined.process.get(name))
    expect(stopped).toContain(confined.interpreter.get(name))
    const answer = unconfined.get(name)!
    if (answer === 'ENOSYS') skipUnless(context, 'system-call', 'unconfined, the kernel does not know it', false)
    if (stopped.includes(answer))
      skipUnless(context, 'all-capabilities', `unconfined, it fails with ${answer} already`, false)
    expect(stopped).not.toContain(answer)
  })
})
