import { describe, expect, it } from 'vitest'
import { type AuditTarget, compileAudit, compilePolicy, explain, noRule, numberedRules } from '../../src/index.js'
import { randomNumbers } from '../random.js'
import { nameOperation, somePolicy } from '../support/generate.js'

/** As the guest's hook decides an import. */
function imports({ imports: { restricted, allow, deny } }: AuditTarget, module: string): [boolean, number] {
  const fits = ({ name }: { name: string }) => module === name || module.startsWith(`${name}.`)
  const denied = deny.find(fits)
  if (denied !== undefined) return [false, denied.rule]
  const allowed = allow.find(fits)
  return [!restricted || allowed !== undefined, allowed?.rule ?? noRule]
}

describe('the target for the audit hook', () => {
  it('decides on imports as explain does, for generated policies', () => {
    const random = randomNumbers(31)
    const seen = [0, 0]
    for (let round = 0; round < 300; round++) {
      const policy = somePolicy(random)
      const target = compileAudit(policy)
      for (let tried = 0; tried < 20; tried++) {
        const operation = nameOperation(random)
        if (operation.kind !== 'import') continue
        const { allowed, rule } = explain(policy, operation)
        expect(imports(target, operation.module)).toEqual([allowed, rule ?? noRule])
        seen[Number(allowed)]!++
      }
    }
    expect(Math.min(...seen)).toBeGreaterThan(200)
  })

  it('has words for every rule, and no file of the supervisor', () => {
    const policy = compilePolicy('version: 1\nname: mine\nfs: {read: [/a/**]}\nimports: {deny: [ctypes]}', {
      file: '/srv/secret/place.yaml',
    })
    const target = compileAudit(policy)
    expect(target.rules).toEqual([
      { section: 'fs.read', text: '/a/**', place: 'place.yaml:3' },
      { section: 'imports.deny', text: 'ctypes', place: 'place.yaml:4' },
    ])
    expect(target.imports).toEqual({ restricted: false, allow: [], deny: [{ name: 'ctypes', rule: 1 }] })
    expect(target.policy).toBe('mine')
    expect(JSON.stringify(target)).not.toContain('secret')
    expect(target.rules).toHaveLength(numberedRules(policy).length)
  })

  it('fills each message with what the hook knows', () => {
    const { messages, events } = compileAudit(compilePolicy('version: 1'))
    const known = ['policy', 'operation', 'object', 'rule', 'section', 'text', 'place']
    for (const message of Object.values(messages))
      for (const [, word] of message.matchAll(/\{(.*?)\}/g)) expect(known).toContain(word)
    expect(events['socket.connect']).toEqual({ operations: ['connect'], argument: 1 })
    expect(events.open).toEqual({ operations: ['read', 'write'], argument: 0 })
  })
})
