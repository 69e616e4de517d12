import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { run } from '../lib/exec.mjs'
import { explained, SetupFailure } from '../lib/failure.mjs'
import { failureOf, temporaryFolder } from './helpers.mjs'

const logFile = () => path.join(temporaryFolder(), 'log')

describe('a command of a step', () => {
  test('leaves its whole output in the log and hands on its lines', async () => {
    const log = logFile()
    const lines = []
    await run('sh', ['-c', 'echo one; echo two >&2; printf three'], { log, onLine: (line) => lines.push(line) })
    expect(lines.sort()).toEqual(['one', 'two'])
    const text = fs.readFileSync(log, 'utf8')
    expect(text).toMatch(/^\n\$ sh -c /)
    for (const part of ['one\n', 'two\n', 'three']) expect(text).toContain(part)
  })

  test('that fails is named, or what the step makes of its last lines', async () => {
    const log = logFile()
    expect(await failureOf(() => run('sh', ['-c', 'exit 3'], { log }))).toMatchObject({
      code: 'COMMAND',
      message: 'sh -c ended with code 3',
      log,
    })
    const failure = (tail) => new SetupFailure('OURS', `it said ${tail}`)
    expect(await failureOf(() => run('sh', ['-c', 'echo no; exit 3'], { log, failure }))).toMatchObject({
      code: 'OURS',
      message: 'it said no',
    })
  })

  test('that is not there is named, once', async () => {
    const log = logFile()
    const failure = () => new SetupFailure('OURS', 'the step failed')
    expect(await failureOf(() => run('no-such-command-of-ours', [], { log, failure }))).toMatchObject({
      code: 'COMMAND',
      message: 'no-such-command-of-ours is not in PATH',
    })
  })

  test('that meets a full disk says so, whatever it was doing', async () => {
    const failure = () => new SetupFailure('OURS', 'the step failed')
    const body = () => run('sh', ['-c', 'cat /proc/self/status > /dev/full'], { log: logFile(), failure })
    expect(await failureOf(body)).toMatchObject({ code: 'DISK', message: expect.stringContaining('PYISOLATE_CACHE') })
  })

  test('whose log can not be written is not started', async () => {
    // /dev/full fails each write with ENOSPC (full(4)).
    const mark = path.join(temporaryFolder(), 'ran')
    expect(await failureOf(() => run('touch', [mark], { log: '/dev/full' }))).toMatchObject({
      code: 'DISK',
      message: 'the disk is full (ENOSPC write): make room; PYISOLATE_CACHE can put the cache elsewhere',
    })
    expect(fs.existsSync(mark)).toBe(false)
  })
})

describe("a system call's error", () => {
  const errorOf = (body) => {
    try {
      return body()
    } catch (error) {
      return error
    }
  }

  test('that the machine answers for is one line with what to do', () => {
    const full = explained(errorOf(() => fs.writeFileSync('/dev/full', 'x')))
    expect(full.line).toBe(
      'set-up failed: the disk is full (ENOSPC write): make room; PYISOLATE_CACHE can put the cache elsewhere',
    )
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'mkdir', path: '/srv/x' })
    expect(explained(denied).line).toBe(
      'set-up failed: permission denied (EACCES mkdir /srv/x): run as its owner; PYISOLATE_CACHE can put the cache elsewhere',
    )
  })

  test('that nobody expected keeps its stack', () => {
    const error = errorOf(() => fs.readFileSync('/nowhere/at/all'))
    expect(explained(error)).toBe(error)
    const defect = new TypeError('x is not a function')
    expect(explained(defect)).toBe(defect)
    expect(explained(undefined)).toBeUndefined()
  })
})
