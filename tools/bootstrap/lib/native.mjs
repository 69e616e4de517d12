import fs from 'node:fs'
import path from 'node:path'
import { hashOf, hashTree, readJson, writeAtomically } from './cache.mjs'
import { run } from './exec.mjs'
import { SetupFailure } from './failure.mjs'
import { withPnpm } from './pnpm.mjs'

// TypeScript is turbo's business; the tests' own executables are built here too.
const INPUTS = ['CMakeLists.txt', 'package.json', 'shared', 'addon', 'engine', 'cmake', 'test']
const isTypeScript = (name) => name.endsWith('.ts')
const OUTPUTS = ['pyisolate_native.node', 'pyisolate-engine']

/** Builds packages/native with CMake; skipped when neither sources, interpreter nor flags have changed. */
export async function buildNative({ root, cache, profile, compiler, python, log, report }) {
  const folder = path.join(root, 'packages', 'native')
  const output = path.join(folder, 'build', 'Release')
  const stamp = path.join(folder, 'build', 'bootstrap.json')
  const recipe = hashOf(root, profile, compiler, python)
  const inputs = hashOf(recipe, hashTree(folder, INPUTS, isTypeScript))
  const known = readJson(stamp)
  const built = OUTPUTS.every((name) => fs.existsSync(path.join(output, name)))
  if (built && known?.inputs === inputs) return
  if (known?.recipe !== recipe) {
    // Another compiler, interpreter or place: CMake's cache would hold on to the old one.
    fs.rmSync(path.join(folder, 'build'), { recursive: true, force: true })
    fs.mkdirSync(path.join(folder, 'build'), { recursive: true })
    // At once, so that an attempt after a failure goes on from what was compiled.
    writeAtomically(stamp, JSON.stringify({ recipe }))
  }

  const env = { ...withPnpm(root, cache), ...nativeEnvironment({ profile, python }) }
  await run('pnpm', ['--filter', '@pyisolate/native', 'run', 'build:native'], {
    log,
    env,
    cwd: root,
    onLine: (line) => report(/^\[\d+\/\d+\]/.exec(line)?.[0] ?? line.trim()),
    failure: (tail) => new SetupFailure('NATIVE_BUILD', `building the native parts failed${firstError(tail)}`, { log }),
  })
  const absent = OUTPUTS.find((name) => !fs.existsSync(path.join(output, name)))
  if (absent) throw new SetupFailure('NATIVE_BUILD', `the native build left no ${absent}`, { log })
  writePythonHome(output, python)
  writeAtomically(stamp, JSON.stringify({ recipe, inputs }))
}

/** What packages/native/CMakeLists.txt reads. The protections that every build has are in there. */
export function nativeEnvironment({ profile, python }) {
  return {
    PYISOLATE_PROFILE: profile.name,
    PYISOLATE_PYTHON_PREFIX: python.prefix,
    PYISOLATE_CFI_FLAGS: profile.cfi.join(' '),
    CC: profile.cc,
    CXX: profile.cxx,
    ...profile.tools,
  }
}

/** Tells the engine's launcher which interpreter's standard library belongs to the binary just built. */
function writePythonHome(output, python) {
  const { prefix, version, stdlib } = python
  writeAtomically(path.join(output, 'python-home.json'), `${JSON.stringify({ prefix, version, stdlib }, null, 2)}\n`)
}

/** The compiler's first complaint, or CMake's, which puts its message below the heading. */
export function firstError(tail) {
  const lines = tail.split('\n').map((text) => text.trim())
  const at = lines.findIndex((text) => /\berror\b/i.test(text))
  if (at < 0) return ''
  const heading = /^CMake Error at /.test(lines[at])
  return `: ${(heading ? (lines[at + 1] ?? lines[at]) : lines[at]).slice(0, 160)}`
}
