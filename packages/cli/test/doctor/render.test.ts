import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import { render, wrap } from '../../src/doctor/render.js'
import type { DoctorReport } from '../../src/doctor/report.js'

const report: DoctorReport = {
  ready: true,
  user: 1000,
  findings: [
    { id: 'a', title: 'A', need: 'essential', state: 'ok', found: 'here', gives: 'this' },
    { id: 'b', title: 'Longer', need: 'optional', state: 'missing', found: 'not here', gives: 'that', remedy: 'ask' },
  ],
  sandbox: { enforcement: [{ mechanism: 'seccomp', state: 'active', essential: true, detail: 'on' }], ms: 5 },
}

it('aligns what it says', () => {
  expect(render(report, { colour: false, columns: 100 })).toBe(`What PyIsolate finds on this host, as user 1000
  ok      A       here
                  gives: this (essential)
  missing Longer  not here
                  gives: that (optional)
                  to get it: ask

A sandbox was started in 5 ms; what confines it
  ok      seccomp  on (essential)
`)
})

it('says the same in colour', () => {
  const coloured = render(report, { colour: true, columns: 100 })
  expect(coloured).toContain('\u001b[32mok')
  expect(stripVTControlCharacters(coloured)).toBe(render(report, { colour: false, columns: 100 }))
})

it('says why no sandbox could be started', () => {
  const failed = { ...report, ready: false, sandbox: { enforcement: [], problem: 'no engine' } }
  expect(render(failed, { colour: false, columns: 100 })).toMatch(/No sandbox could be started\nno engine\n$/)
})

it('breaks lines between words', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
  expect(wrap('a-word-that-is-long b', 5)).toEqual(['a-word-that-is-long', 'b'])
})
