import { closeSync, openSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { childProcesses, countDescriptors, countThreads, isAlive, run, runSource } from '../src/index.js'

describe('subprocesses', () => {
  it('collects output, code and signal', async () => {
    const failed = await runSource(
      'console.log(process.argv[1], process.env.A); console.error("e"); process.exitCode = 3',
      {
        args: ['x'],
        env: { A: 'b' },
      },
    )
    expect(failed).toMatchObject({ code: 3, signal: null, stdout: 'x b\n', stderr: 'e\n', timedOut: false })
    expect(await runSource('process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 1e5)')).toMatchObject({
      code: null,
      signal: 'SIGSEGV',
    })
  })

  it('ends what takes too long', async () => {
    expect(await run('/bin/sleep', ['60'], { timeout: 100 })).toMatchObject({ signal: 'SIGKILL', timedOut: true })
  })
})

describe('counts', () => {
  it('sees a descriptor come and go', () => {
    const before = countDescriptors()
    const fd = openSync('/dev/null', 'r')
    expect(countDescriptors()).toBe(before + 1)
    closeSync(fd)
    expect(countDescriptors()).toBe(before)
    expect(countThreads()).toBeGreaterThan(0)
  })

  it('sees a child live and die', async () => {
    let pid = 0
    const running = run('/bin/sleep', ['60'], {
      onStart: (child) => {
        pid = child.pid!
        expect(childProcesses()).toContain(pid)
        expect(isAlive(pid)).toBe(true)
        child.kill('SIGKILL')
      },
    })
    await running
    expect(childProcesses()).not.toContain(pid)
    expect(isAlive(pid)).toBe(false)
  })
})
