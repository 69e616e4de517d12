import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundlePolicy, compileBundle, PolicyError } from '../src/index.js'
import { folder, policyText } from './sources-support.js'

describe('a bundle', () => {
  it('has a file and all that it extends, and is the same policy where these files are not', () => {
    const root = folder()
    mkdirSync(join(root, 'base'))
    writeFileSync(join(root, 'base', 'a.yaml'), 'version: 1\nextends: [./b.yaml, compute]\nfs: {deny: [/a]}\n')
    writeFileSync(join(root, 'base', 'b.yaml'), 'version: 1\nfs: {deny: [/b]}\n')
    writeFileSync(join(root, 'p.yaml'), 'version: 1\nname: p\nextends: ./base/a.yaml\n')
    const { policy, bundle } = bundlePolicy(join(root, 'p.yaml'))
    expect(bundle.map(({ file }) => file)).toEqual(
      ['p.yaml', 'base/a.yaml', 'base/b.yaml'].map((name) => join(root, name)),
    )
    rmSync(root, { recursive: true })
    expect(compileBundle(JSON.parse(JSON.stringify(bundle)))).toEqual(policy)
    expect(policy.fs.deny).toHaveLength(2)
  })

  it('opens no file of the machine where it arrives', () => {
    const root = folder()
    writeFileSync(join(root, 'secret.yaml'), policyText('secret'))
    for (const name of [join(root, 'secret.yaml'), './secret.yaml', '/etc/passwd', '../../etc/passwd']) {
      const bundle = [{ file: join(root, 'p.yaml'), text: `version: 1\nextends: ${name}\n` }]
      expect(() => compileBundle(bundle)).toThrow(
        expect.objectContaining({ problem: 'not-found', place: { file: join(root, 'p.yaml'), line: 2, column: 10 } }),
      )
    }
  })

  it('is at most a mebibyte, and not empty', () => {
    const half = { file: '/a', text: `${policyText('a')}${'#'.repeat(2 ** 19)}` }
    expect(compileBundle([half]).name).toBe('a')
    expect(() => compileBundle([half, { ...half, file: '/b' }])).toThrow(
      expect.objectContaining({ problem: 'too-large' }),
    )
    expect(() => compileBundle([])).toThrow(PolicyError)
    expect(() => bundlePolicy('/nowhere.yaml')).toThrow(expect.objectContaining({ problem: 'not-found' }))
  })
})
