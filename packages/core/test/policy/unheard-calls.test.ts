// Denied calls that a shared cell's filter notifies of, where nobody listens: its main thread, which native code of a
// guest could take over. The kernel fails them, and the thread can't become the one that answers.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plainPython, unconfinedEngine } from '../escapes/support/python.js'

const script = join(import.meta.dirname, 'unheard-calls.py')

function attempt(...filters: string[]): Record<string, string | number> {
  return JSON.parse(execFileSync(plainPython, ['-I', script, ...filters], { encoding: 'utf8', timeout: 20_000 }))
}

describe.runIf(process.arch === 'x64')('a call that only a filter without a listener notifies of', () => {
  it('is made by whoever gets to listen, and says so itself', () => {
    expect(attempt()).toEqual({ unheard: 'ENOSYS', listens: true, answers: 'continued', made: true })
  })

  it('fails in a main thread under the cell’s own filter, which can listen, and never answer', () => {
    const args = ['filter', '--broker', 'files-and-sockets', '--deny-call', 'getppid']
    const { baseline } = JSON.parse(execFileSync(unconfinedEngine, args, { encoding: 'utf8' }))
    expect(attempt(baseline)).toEqual({ unheard: 'ENOSYS', listens: true, answers: 'EPERM' })
  })
})
