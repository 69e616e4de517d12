import { readdirSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { RestOfProcesses, type RestPort } from '../src/internal/rest-of-processes.js'

// Threads of this very process, of which Node.js has some.
const own = process.pid
const [thread, other] = readdirSync('/proc/self/task')
  .map(Number)
  .filter((id) => id !== own) as [number, number]

describe('the rest of a process that sandboxes share', () => {
  let log: string[]
  let refuse = false
  let rest: RestOfProcesses
  beforeEach(() => {
    log = []
    refuse = false
    let last = 100n
    const port: RestPort = {
      label: (process, sandbox, slot) => {
        if (refuse) throw new Error('refused')
        log.push(`label ${process === own} ${sandbox} ${slot}`)
      },
      forget: (sandbox) => log.push(`forget ${sandbox}`),
      number: () => ++last,
      slot: () => {
        log.push('use')
        return { slot: { number: 9 }, leave: () => log.push('leave') }
      },
    }
    rest = new RestOfProcesses(port)
  })

  test('is labelled with each sandbox, as the same one, and forgotten with the last', () => {
    const first = rest.join(1n, thread)!
    const second = rest.join(2n, other)!
    expect(log).toEqual(['use', 'label true 101 9', 'use', 'label true 101 9'])
    expect([rest.neighbourOf(101n), rest.neighbourOf(1n)]).toEqual([1n, undefined])
    first.leave()
    expect(rest.neighbourOf(101n)).toBe(2n)
    second.leave()
    expect(log.slice(4)).toEqual(['leave', 'forget 101', 'leave'])
    rest.join(3n, thread)
    expect(log.slice(7)).toEqual(['use', 'label true 102 9'])
  })

  test('of a sandbox that is alone there is none', () => {
    expect(rest.join(1n, own)).toBeUndefined()
    expect(log).toEqual([])
  })

  test('that can’t be labelled is nobody’s, and holds no slot', () => {
    refuse = true
    expect(() => rest.join(1n, thread)).toThrow('refused')
    expect(log).toEqual(['use', 'forget 101', 'leave'])
    expect(rest.neighbourOf(101n)).toBeUndefined()
  })
})
