import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { add, closingLine, countReport, keptLines, NONE } from '../counts.mjs'
import { byCompany } from '../packages.mjs'

let folder
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pyisolate-counts-'))
})
afterEach(() => fs.rmSync(folder, { recursive: true }))

function report(...suites) {
  const file = path.join(folder, 'report.json')
  const testResults = suites.map(([status, ...states]) => ({
    status,
    name: 'a.test.ts',
    message: 'no such module',
    assertionResults: states.map((state, i) => ({
      status: state,
      fullName: `test ${i}`,
      failureMessages: state === 'failed' ? ['expected 1\n    at line 3'] : [],
    })),
  }))
  fs.writeFileSync(file, JSON.stringify({ testResults }))
  return file
}

describe('counting a report', () => {
  test('passed, failed and skipped tests are told apart, skips by name', () => {
    expect(countReport(report(['failed', 'passed', 'failed', 'skipped', 'todo']), 1)).toEqual({
      counts: { passed: 1, failed: 1, skipped: 2 },
      skips: ['test 2', 'test 3'],
      failures: ['test 1: expected 1'],
      kept: [],
    })
  })

  test('a file that could not be loaded has failed', () => {
    expect(countReport(report(['passed', 'passed'], ['failed']), 1)).toEqual({
      counts: { passed: 1, failed: 1, skipped: 0 },
      skips: [],
      failures: ['a.test.ts: no such module'],
      kept: [],
    })
  })

  test('a bad exit with nothing but passes has failed', () => {
    expect(countReport(report(['passed', 'passed']), 1)).toMatchObject({
      counts: { passed: 1, failed: 1, skipped: 0 },
      failures: ['the run ended with code 1 though its tests passed'],
    })
    expect(countReport(report(['passed', 'passed']), 0).counts).toEqual({ passed: 1, failed: 0, skipped: 0 })
  })

  test('a run that left no report has failed', () => {
    expect(countReport(path.join(folder, 'absent.json'), 0).counts).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  test('what tests say they try of a policy is listed by rule, failures aloud', () => {
    const file = path.join(folder, 'kept.json')
    const one = (rule, keeper, where, status) => ({ status, fullName: rule, meta: { keeps: { rule, keeper, where } } })
    const assertionResults = [
      one('fs.read', 'broker', 'process', 'passed'),
      one('fs.read', 'broker', 'interpreter', 'failed'),
      one('limits.cpu', 'cgroup', 'process', 'passed'),
      { status: 'passed', fullName: 'something else', meta: {} },
    ]
    fs.writeFileSync(file, JSON.stringify({ testResults: [{ status: 'failed', name: 'a', assertionResults }] }))
    expect(keptLines(countReport(file, 1).kept)).toEqual([
      'fs.read     broker      process, interpreter: FAILED',
      'limits.cpu  cgroup      process',
    ])
    expect(keptLines([])).toEqual([])
  })

  test('sums end in one line', () => {
    const sum = add(add(NONE, { passed: 2, failed: 0, skipped: 1 }), { passed: 3, failed: 1, skipped: 0 })
    expect(closingLine(sum)).toBe('5 passed, 1 failed, 1 skipped')
  })
})

describe('packages that run beside each other', () => {
  const named = (...names) => names.map((name) => ({ name }))

  test('are those that never meet the engine, and no package is left out', () => {
    expect(byCompany(named('tools', 'core', 'broker', 'native'))).toEqual({
      beside: named('tools', 'broker'),
      alone: named('core', 'native'),
    })
  })

  test('are none where only one of them was chosen: it is seen while it runs', () => {
    expect(byCompany(named('broker', 'core'))).toEqual({ beside: [], alone: named('broker', 'core') })
  })
})
