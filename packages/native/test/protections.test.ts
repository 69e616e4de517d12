import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { claimedProfile, gather, isX64, PROFILES, type Subject } from './support/protections.js'

const release = fileURLToPath(new URL('../build/Release', import.meta.url))

// Functions of ours are recognised by their mangled namespace, CPython's public and private API by its prefix.
const OURS = /^_ZN.*9pyisolate/
const subjects: readonly Subject[] = [
  {
    path: join(release, 'pyisolate-engine'),
    kind: 'executable',
    parts: { 'the engine': OURS, CPython: /^_?Py/ },
  },
  {
    path: join(release, 'pyisolate_native.node'),
    kind: 'library',
    parts: { 'the addon': OURS },
    exempt: {
      hardened: {
        'control-flow integrity':
          'its indirect calls come from Node, or lead there and to the C++ library: neither has types to check against, and no guest shares its memory',
      },
    },
  },
]

describe.each(subjects)('$path', (subject) => {
  const profile = claimedProfile(subject.path)

  it('names its build profile', () => {
    expect(Object.keys(PROFILES)).toContain(profile)
    if (process.env.PYISOLATE_PROFILE) expect(profile).toBe(process.env.PYISOLATE_PROFILE)
  })

  const evidence = gather(subject)
  for (const { name, lack, onX64Only } of PROFILES[profile ?? ''] ?? []) {
    const reason = subject.exempt?.[profile!]?.[name]
    if (reason) {
      // An exemption that is no longer needed must go.
      it(`goes without ${name}: ${reason}`, () => expect(lack(evidence)).toBeDefined())
      continue
    }
    it.skipIf(onX64Only && !isX64(evidence.elf))(`has ${name}, as the ${profile} profile promises`, () => {
      expect(lack(evidence) ?? 'nothing missing').toBe('nothing missing')
    })
  }
})

it('reports of itself what the file shows', () => {
  const [engine] = subjects
  const { build } = JSON.parse(execFileSync(engine!.path, ['probe'], { encoding: 'utf8' }))
  expect(build).toMatchObject({
    profile: claimedProfile(engine!.path),
    pie: true,
    relro: true,
    bindNow: true,
    executableStack: false,
    stackProtector: true,
    branchProtection: true,
  })
  // The file shows that there are checked calls, not of which level they are.
  expect(build.fortify).toBe(3)
})
