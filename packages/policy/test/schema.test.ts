import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { compilePolicy, loadPolicy, PolicyError, systemCallNames, templateNames } from '../src/index.js'

const schema = JSON.parse(readFileSync(new URL('../schema/policy.v1.schema.json', import.meta.url), 'utf8'))
const accepts = new Ajv2020({ allowUnionTypes: true }).compile(schema)

/** The keys that a section knows, as its own error lists them. */
function keysOf(section: string): string[] {
  try {
    compilePolicy(section === '' ? 'version: 1\nnone: 1' : `version: 1\n${section}: {none: 1}`)
  } catch (error) {
    return (error as PolicyError).expected.split(', ').sort()
  }
  throw new Error('a key none is known')
}

describe('the published schema', () => {
  it.each(['', 'fs', 'net', 'syscalls', 'imports', 'limits'])('has the keys that the parser has: %s', (section) => {
    const part = section === '' ? schema : schema.properties[section]
    expect(Object.keys(part.properties).sort()).toEqual(keysOf(section))
  })

  it('completes the system calls that the parser takes', () => {
    const { addedCall, systemCall } = schema.$defs
    expect(systemCall.enum).toEqual(systemCallNames)
    const takes = (name: string) => {
      try {
        return compilePolicy(`version: 1\nsyscalls: {allow: [${name}]}`).syscalls.allow.length === 1
      } catch (error) {
        if (!PolicyError.isInstance(error)) throw error
        return false
      }
    }
    expect(addedCall.enum).toEqual(systemCallNames.filter(takes))
  })

  it.each(templateNames())('takes the template %s', (name) => {
    const text = readFileSync(new URL(`../templates/${name}.yaml`, import.meta.url), 'utf8')
    expect(accepts(load(text)), JSON.stringify(accepts.errors)).toBe(true)
    expect(loadPolicy(name).name).toBe(name)
  })

  it.each([
    'name: x',
    'version: 2',
    'version: 1\nfss: {}',
    'version: 1\nfs: {raed: []}',
    'version: 1\nfs: {read: /etc}',
    'version: 1\nfs: {read: [etc]}',
    'version: 1\nfs: {read: [/a/../b]}',
    'version: 1\nfs: {read: [/a/*/b]}',
    'version: 1\nfs: {read: [/a/]}',
    'version: 1\nfs: {read: [$HOME/x]}',
    'version: 1\nnet: {connect: [example.org]}',
    'version: 1\nnet: {connect: [tcp://example.org]}',
    'version: 1\nnet: {connect: [http://example.org:80]}',
    'version: 1\nnet: {dns: [a..b]}',
    'version: 1\nlimits: {memory: 1 MB/s}',
    'version: 1\nlimits: {cpu: 50}',
    'version: 1\nlimits: {wallTime: 30}',
    'version: 1\nlimits: {bandwidthIn: 10MiB}',
    'version: 1\nlimits: {threads: 0}',
    'version: 1\nenforcement: loose',
    'version: 1\nimports: {deny: [1x]}',
    'version: 1\nsyscalls: {allow: [Fork]}',
    'version: 1\nsyscalls: {allow: [ptrace]}',
    'version: 1\nsyscalls: {deny: [raed]}',
    'version: 1\nfs: {deny: [/proc/**]}',
  ])('refuses what the parser refuses: %j', (text) => {
    expect(() => compilePolicy(text)).toThrow(PolicyError)
    expect(accepts(load(text))).toBe(false)
  })

  it.each([
    'version: 1',
    'version: 1\nfs:',
    'version: 1\nfs: {read: [/, /**, $TMP, $STDLIB/x/**, "/ü ü", /process, /a/proc]}',
    'version: 1\nnet: {connect: [tcp://*:1-65535, "udp://[::]/0:*", tcp://10.0.0.0/8:443, unix://@x, unix:///a/b]}',
    'version: 1\nlimits: {memory: 1048576, cpu: 12.5%, bandwidthOut: 1kB/s, wallTime: 1.5h}',
  ])('takes what the parser takes: %j', (text) => {
    compilePolicy(text)
    expect(accepts(load(text)), JSON.stringify(accepts.errors)).toBe(true)
  })
})
