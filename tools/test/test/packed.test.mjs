import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const HELLO = `
import { spawn } from '@pyisolate/core'
await using sandbox = await spawn('demo', { policy: 'stdlib.readonly' })
await sandbox.exec('from math import sqrt\\npost(sqrt(2))')
console.log(await sandbox.recv())
`
  // Node 20 has no \`await using\`.
  .replace('await using sandbox', 'const sandbox')
  .concat('await sandbox.close()\n')

function publicPackages() {
  return fs
    .readdirSync(path.join(root, 'packages'))
    .map((name) => path.join(root, 'packages', name))
    .filter((folder) => fs.existsSync(path.join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.private !== true)
}

test('what is packed can be installed elsewhere, and says hello', { timeout: 300_000 }, () => {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'pyisolate-packed-'))
  onTestFinished(() => fs.rmSync(place, { recursive: true, force: true }))
  fs.chmodSync(place, 0o755) // as root, cells run as somebody else
  const env = { ...process.env }
  for (const name of Object.keys(env)) {
    if (name.startsWith('PYISOLATE_ENGINE') || name.startsWith('PYISOLATE_PYTHON')) delete env[name]
  }
  const pnpm = path.join(root, 'tools', 'bootstrap', 'pnpm.mjs')
  const dependencies = {}
  const packed = publicPackages()
  for (const { folder, manifest } of packed) {
    const before = new Set(fs.readdirSync(place))
    execFileSync(process.execPath, [pnpm, '-C', folder, 'pack', '--pack-destination', place], { env, stdio: 'pipe' })
    const tarball = fs.readdirSync(place).find((name) => !before.has(name))
    dependencies[manifest.name] = `file:${path.join(place, tarball)}`
  }
  const app = path.join(place, 'app')
  fs.mkdirSync(app)
  // Packages that name each other by version find the tarballs, which come first, not a registry's.
  const manifest = { name: 'app', private: true, type: 'module', dependencies }
  fs.writeFileSync(path.join(app, 'package.json'), JSON.stringify(manifest))
  fs.writeFileSync(path.join(app, 'hello.js'), HELLO)
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: app, env, stdio: 'pipe' })
  for (const { manifest } of packed) {
    const installed = path.join(app, 'node_modules', manifest.name)
    expect(fs.lstatSync(installed).isSymbolicLink(), manifest.name).toBe(false)
    expect(fs.existsSync(path.join(installed, 'dist', 'index.js')) || manifest.bin !== undefined, manifest.name).toBe(
      true,
    )
  }
  const said = execFileSync(process.execPath, ['hello.js'], { cwd: app, env, encoding: 'utf8' })
  expect(said).toBe('1.4142135623730951\n')
  const cli = path.join(app, 'node_modules', '.bin', 'pyisolate')
  expect(execFileSync(cli, ['run', '-'], { cwd: app, env, input: 'print(6 * 7)', encoding: 'utf8' })).toBe('42\n')
})
