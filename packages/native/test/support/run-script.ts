import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { addonPath, fakeEngine } from './fake.js'

export interface ScriptResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

const dist = fileURLToPath(new URL('../../dist/index.js', import.meta.url))

/** What a script starts with: `engine()` makes one on the fake, `request()` a spawn request, `aead()` the addon's. */
const prelude = `
import { readdirSync } from 'node:fs'
import { createCipheriv } from 'node:crypto'
import { createNativeAead, createNativeEngine } from ${JSON.stringify(pathToFileURL(dist).href)}
const aead = () => createNativeAead({ addon: ${JSON.stringify(addonPath)} })
const engine = (more) => createNativeEngine({ executable: ${JSON.stringify(fakeEngine)}, addon: ${JSON.stringify(addonPath)},
  pythonHome: { prefix: '/n', stdlib: '/n' }, ...more })
const request = (more) => ({ name: 'a', isolation: 'process', preload: [], readPaths: [], modulePaths: [], ringBytes: 65536,
  maxFrameBytes: 1 << 26, limits: {}, init: Buffer.from('{}'), decode: (p) => JSON.parse(Buffer.from(p)),
  onFrame() {}, onDrain() {}, onCorrupt() {}, onExit() {}, ...more })
const descriptors = () => readdirSync('/proc/self/fd').length
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
`

/** Runs a module in a Node process of its own; `shell` goes before it (`ulimit …`), `node` is another one to run it. */
export function runScript(
  body: string,
  options: { shell?: string; node?: string; onLine?: (line: string, kill: () => void) => void } = {},
): Promise<ScriptResult> {
  if (!existsSync(dist)) throw new Error(`${dist} is missing: build the package first`)
  const source = `data:text/javascript,${encodeURIComponent(prelude + body)}`
  const program = `import(${JSON.stringify(source)})`
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', [
      '-c',
      `${options.shell ?? ':'}; exec "$0" --expose-gc -e "$1"`,
      options.node ?? process.execPath,
      program,
    ])
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
      for (const line of String(chunk).split('\n').filter(Boolean)) options.onLine?.(line, () => child.kill('SIGKILL'))
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}
