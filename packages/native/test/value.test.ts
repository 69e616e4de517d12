import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

// The codec's tests run in an executable of their own, in its interpreter; here each becomes a test.

interface Line {
  readonly start?: string
  readonly name?: string
  readonly ok?: boolean
  readonly detail?: string
  readonly done?: number
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const release = join(root, 'build/Release')

function pythonHome(): string {
  if (process.env.PYISOLATE_PYTHON_HOME) return process.env.PYISOLATE_PYTHON_HOME
  return (JSON.parse(readFileSync(join(release, 'python-home.json'), 'utf8')) as { prefix: string }).prefix
}

function run(): Promise<{ lines: Line[]; ended: string; stderr: string }> {
  const executable = process.env.PYISOLATE_VALUE_TEST ?? join(release, 'pyisolate-value-test')
  const args = ['--home', pythonHome(), join(root, 'engine/value/test/run.py'), join(root, 'test/vectors')]
  const fuzz = process.env.PYISOLATE_FUZZ_SECONDS
  if (fuzz) args.push(fuzz, String(Date.now()))
  return new Promise((resolve) => {
    execFile(executable, args, { env: {}, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const lines = stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Line)
      resolve({ lines, ended: error === null ? 'exit 0' : String(error.signal ?? error.code), stderr })
    })
  })
}

const { lines, ended, stderr } = await run()
const outcomes = lines.filter((line) => line.name !== undefined)

describe('value codec of the engine', () => {
  for (const { name, ok, detail } of outcomes) {
    it(name!, () => {
      expect(ok, detail).toBe(true)
    })
  }

  it('runs to its end', () => {
    // What was started last is what crashed.
    const last = lines.findLast((line) => line.start !== undefined)?.start
    expect(ended, `in "${last}": ${stderr.slice(-2000)}`).toBe('exit 0')
    expect(lines.at(-1)).toEqual({ done: outcomes.length })
    expect(outcomes.length).toBeGreaterThan(200)
  })
})
