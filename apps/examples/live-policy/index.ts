// A policy in YAML, what it denies and by which line, and another one in its place while the guest runs.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { spawn } from '@pyisolate/core'

const folder = await mkdtemp(join(tmpdir(), 'live-policy-'))
const file = join(folder, 'policy.yaml')
await writeFile(join(folder, 'prices.csv'), 'tea,3\n')
await writeFile(join(folder, 'secret.txt'), 'no')

/** Everything in the folder but its secrets; while `open`, the secrets, too. */
const policy = (secrets: 'open' | 'closed') => `
version: 1
name: ${secrets}
extends: stdlib.readonly
fs:
  read:
    - ${folder}/**
${secrets === 'closed' ? `  deny:\n    - ${folder}/secret.txt\n` : ''}`

await writeFile(file, policy('closed'))
const sandbox = await spawn('job', {
  policy: file,
  onDenied: ({ operation, object, rule }) =>
    console.log(`denied to ${operation} ${basename(object)} by line ${rule?.line ?? 'none'}`),
})
await sandbox.exec(`
import os
def read(name):
    try:
        return open(os.path.join('${folder}', name)).read().strip()
    except PermissionError as error:
        return error.strerror
`)
const read = (name: string) => sandbox.call<string>('read', [name])

console.log('prices:', await read('prices.csv'))
console.log('secret:', await read('secret.txt'))
console.log('/etc/passwd:', await read('/etc/passwd'))
await writeFile(file, policy('open'))
await sandbox.reload(file)
console.log(`policy ${sandbox.policy.generation} is ${sandbox.policy.name}`)
console.log('secret:', await read('secret.txt'))
await sandbox.close()
await rm(folder, { recursive: true })
