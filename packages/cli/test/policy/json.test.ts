import { loadPolicy, templateNames } from '@pyisolate/policy'
import { describe, expect, it } from 'vitest'
import { readableJson } from '../../src/policy/json.js'

describe('readable JSON', () => {
  it('has records on lines of their own', () => {
    const record = { rule: 1, ops: ['read', 'write'], path: '/a "b"', none: undefined }
    expect(readableJson({ files: [record, record, record], empty: [], nothing: {}, no: null })).toBe(
      [
        '{',
        '  "files": [',
        '    { "rule": 1, "ops": ["read", "write"], "path": "/a \\"b\\"" },',
        '    { "rule": 1, "ops": ["read", "write"], "path": "/a \\"b\\"" },',
        '    { "rule": 1, "ops": ["read", "write"], "path": "/a \\"b\\"" }',
        '  ],',
        '  "empty": [],',
        '  "nothing": {},',
        '  "no": null',
        '}',
      ].join('\n'),
    )
  })

  it.each(templateNames())('is JSON: %s', (name) => {
    const policy = loadPolicy(name)
    const text = readableJson(policy)
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(policy)))
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(140)
  })
})
