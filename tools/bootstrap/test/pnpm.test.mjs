import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { pnpmFolder, providePnpm } from '../lib/pnpm.mjs'
import { failureOf, pathWith, script, temporaryFolder } from './helpers.mjs'

let root
let tools

beforeEach(() => {
  root = temporaryFolder()
  tools = temporaryFolder()
  fs.writeFileSync(path.join(root, 'package.json'), JSON.stringify({ packageManager: 'pnpm@10.1.2+sha512.00' }))
  vi.stubEnv('PATH', pathWith(tools).PATH)
})
afterEach(() => vi.unstubAllEnvs())

/** An npm that installs a pnpm with this text, where it was told to. */
function npm(text) {
  fs.writeFileSync(path.join(tools, 'pnpm.cjs'), text)
  script(
    tools,
    'npm',
    `echo ran >> '${root}/runs'; m="$3/node_modules"; mkdir -p "$m/pnpm/bin" "$m/.bin"
cp '${tools}/pnpm.cjs' "$m/pnpm/bin/pnpm.cjs"; ln -s ../pnpm/bin/pnpm.cjs "$m/.bin/pnpm"`,
  )
}

const provide = (statfs) => providePnpm({ root, cache: root, log: path.join(root, 'log'), report: () => {}, statfs })
const runs = () => (fs.existsSync(path.join(root, 'runs')) ? fs.readFileSync(path.join(root, 'runs'), 'utf8') : '')

describe('the pinned pnpm', () => {
  test('is installed once, and appears whole', async () => {
    npm('console.log("10.1.2")')
    await provide()
    await provide()
    expect(runs()).toBe('ran\n')
    expect(fs.readdirSync(path.dirname(pnpmFolder(root, root)))).toEqual(['pnpm-10.1.2'])
  })

  test.each([
    ['is cut short, as npm leaves it on a full disk', 'console.log("10.1'],
    ['is empty', ''],
    ['is another version', 'console.log("10.1.3")'],
  ])('that %s is not kept', async (_what, text) => {
    npm(text)
    expect(await failureOf(provide)).toMatchObject({
      code: 'DEPENDENCIES',
      message: 'what npm installed as pnpm 10.1.2 does not run: try again',
    })
    expect(fs.readdirSync(path.dirname(pnpmFolder(root, root)))).toEqual([])
    npm('console.log("10.1.2")')
    await provide()
    expect(runs()).toBe('ran\nran\n')
  })

  test('is not tried without room for it', async () => {
    npm('console.log("10.1.2")')
    expect(await failureOf(() => provide(() => ({ bavail: 100, bsize: 4096 })))).toMatchObject({
      code: 'DISK',
      message: expect.stringMatching(/^pnpm needs 64 MiB free in .*, 0 MiB are available: make room; PYISOLATE_CACHE/),
    })
    expect(runs()).toBe('')
  })

  test('is not kept when the disk was full by then', async () => {
    npm('console.log("10.1.2")')
    const free = [100_000, 0]
    expect(await failureOf(() => provide(() => ({ bavail: free.shift(), bsize: 4096 })))).toMatchObject({
      code: 'DISK',
    })
    expect(fs.readdirSync(path.dirname(pnpmFolder(root, root)))).toEqual([])
  })
})
