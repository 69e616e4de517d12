import { presenceOf } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../src/doctor/finding.js'
import type { DoctorReport } from '../../src/doctor/report.js'
import { pyisolate } from './support.js'

async function examine(): Promise<DoctorReport> {
  const { code, stdout, stderr } = await pyisolate(['doctor', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('pyisolate doctor', () => {
  it('knows every mechanism, and agrees with what the kernel says of itself', async () => {
    const report = await examine()
    const byId = new Map(report.findings.map((finding) => [finding.id, finding]))
    const ids =
      'kernel landlock seccomp seccomp-notify namespaces processes io-uring bpf bpf-cgroup bpf-lsm cgroups numa engine addon interpreter'
    expect([...byId.keys()]).toEqual(ids.split(' '))
    const states = (id: string): Finding['state'] => byId.get(id)!.state
    expect(states('seccomp')).toBe(presenceOf('seccomp').present ? 'ok' : 'missing')
    if (presenceOf('landlock').present !== undefined)
      expect(states('landlock') !== 'missing').toBe(presenceOf('landlock').present)
    for (const { state, remedy } of report.findings) if (state === 'missing') expect(remedy).toBeTruthy()
  })

  it('starts a sandbox, and reports what confines it', async () => {
    const { ready, sandbox } = await examine()
    expect(ready).toBe(true)
    expect(sandbox.python).toEqual({ version: expect.stringMatching(/^3\.13\./), freeThreaded: true })
    const active = sandbox.enforcement.filter(({ state }) => state === 'active').map(({ mechanism }) => mechanism)
    expect(active).toEqual(expect.arrayContaining(['landlock', 'seccomp', 'no-new-privs', 'capabilities', 'rlimits']))
  })

  it('is plain text when nobody looks at a terminal', async () => {
    const { code, stdout } = await pyisolate(['doctor'])
    expect(code).toBe(0)
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toMatch(/^What PyIsolate finds on this host/)
    expect(stdout).toMatch(/^ {2}ok {6}seccomp {2}/m)
  })

  it('says what is missing without an engine, and exits with 1', async () => {
    const { code, stdout } = await pyisolate(['doctor', '--json'], { env: { PYISOLATE_ENGINE: '/nonexistent/engine' } })
    expect(code).toBe(1)
    const report: DoctorReport = JSON.parse(stdout)
    expect(report.ready).toBe(false)
    expect(report.findings.find(({ id }) => id === 'engine')).toMatchObject({
      state: 'missing',
      remedy: expect.any(String),
    })
  })
})
