import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { pyisolate, python } from './support.js'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'pyisolate-cli-policy-')))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)
writeFileSync(at('data'), 'data')
writeFileSync(at('secret'), 'secret')
writeFileSync(
  at('policy.yaml'),
  `version: 1\nname: mine\nextends: stdlib.readonly\nfs:\n  read:\n    - ${folder}/**\n  deny:\n    - ${at('secret')}\n`,
)

describe('pyisolate run under a policy', () => {
  it('takes a file, and says nothing of what it denies unless asked', async () => {
    const { code, stdout, stderr } = await python(`print(open('${at('data')}').read())`, [
      '--policy',
      at('policy.yaml'),
    ])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'data\n', stderr: '' })
  })

  it('--explain names the rule, its file and its line, once', async () => {
    const program = `
for path in 2 * ['${at('secret')}'] + ['/etc/shadow']:
    try: open(path)
    except PermissionError: pass`
    const { code, stderr } = await python(program, ['--policy', at('policy.yaml'), '--explain'])
    expect(code).toBe(0)
    expect(stderr.trim().split('\n')).toEqual([
      `pyisolate: denied to read ${at('secret')}, EACCES: fs.deny: ${at('secret')} (${at('policy.yaml')}:8)`,
      'pyisolate: denied to read /etc/shadow, EACCES: no rule of the policy mine allows it; one under fs.read would',
    ])
  })

  it('--explain --json, and the built-in policy', async () => {
    const { stdout } = await python(`import os\nprint(os.path.exists('/etc/passwd'))`, ['--explain', '--json'])
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events).toContainEqual({
      denied: expect.objectContaining({ operation: 'read', object: '/etc/passwd', errno: 'EACCES' }),
    })
  })

  it('a policy that is wrong is wrong usage, with its place', async () => {
    writeFileSync(at('bad.yaml'), 'version: 1\nfs:\n  raed: []\n')
    for (const explain of [[], ['--explain']]) {
      const { code, stderr } = await python('pass', ['--policy', at('bad.yaml'), ...explain])
      expect(code).toBe(2)
      expect(stderr).toContain(`${at('bad.yaml')}:3:3`)
      expect(stderr).toContain('read')
    }
  })
})

describe('pyisolate policy learn', () => {
  it('writes the least policy, under which the program then runs', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    writeFileSync(
      at('program.py'),
      `import json, socket, sys, tempfile
with tempfile.TemporaryFile() as file: file.write(b'x')
with open('${at('out')}', 'w') as file: file.write(open('${at('data')}').read())
print(socket.create_connection(('localhost', ${port})).recv(5), sys.argv[1:])
`,
    )
    const learned = await pyisolate(['policy', 'learn', '-o', at('learned.yaml'), at('program.py'), '--', 'a'])
    expect(learned).toMatchObject({ code: 0, stdout: "b'hello' ['a']\n" })
    const policy = readFileSync(at('learned.yaml'), 'utf8')
    expect(policy).toContain(`    - ${at('data')}\n`)
    expect(policy).toContain(`    - "tcp://localhost:${port}"\n`)
    expect(policy).not.toContain('/usr/lib')
    const run = await pyisolate(['run', '--policy', at('learned.yaml'), '--explain', at('program.py')])
    expect(run).toMatchObject({ code: 0, stdout: "b'hello' []\n", stderr: '' })
    // Least: with one rule less it fails.
    writeFileSync(at('less.yaml'), policy.replace(`    - ${at('data')}\n`, ''))
    expect((await pyisolate(['run', '--policy', at('less.yaml'), at('program.py')])).code).toBe(1)
  })

  it('says so when the program ends early', async () => {
    writeFileSync(at('early.py'), `open('${at('data')}')\n1 / 0\n`)
    const { code, stdout, stderr } = await pyisolate(['policy', 'learn', at('early.py')])
    expect(code).toBe(1)
    expect(stdout).toContain(at('data'))
    expect(stderr).toContain('ZeroDivisionError')
    expect(stderr).toContain('it ended early')
  })
})
