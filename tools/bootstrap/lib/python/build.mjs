import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { capture, run } from '../exec.mjs'
import { SetupFailure } from '../failure.mjs'

/** Bumped when what is installed changes without a change of flags. */
export const LAYOUT = 3

/** Modules that a sandbox never has a use for; left out whatever libraries this machine happens to have. */
const LEFT_OUT = ['_tkinter', '_curses', '_curses_panel', '_dbm', '_gdbm', 'readline', '_uuid', 'nis']

export function configureArguments() {
  return [
    '--disable-gil',
    '--disable-shared',
    '--disable-test-modules',
    '--without-ensurepip',
    '--without-readline',
    '--with-system-expat=no',
    // The standard library's C modules go into the binary: a cell never maps new executable pages for them.
    'MODULE_BUILDTYPE=static',
    ...LEFT_OUT.map((name) => `py_cv_module_${name}=n/a`),
  ]
}

const HELPERS = [
  'Modules/_decimal/libmpdec/libmpdec.a',
  'Modules/_hacl/libHacl_Hash_SHA2.a',
  'Modules/expat/libexpat.a',
]

/** Parts of the standard library that need a display, a terminal or a second copy of the interpreter. */
const NEEDLESS = ['idlelib', 'tkinter', 'turtledemo', 'turtle.py', 'ensurepip']

/** What must have been found and built in: a missing development package would otherwise be noticed in a sandbox. */
const SMOKE = 'import asyncio, bz2, ctypes, decimal, hashlib, json, lzma, sqlite3, ssl, zlib, _interpreters'

/** Builds in `work` and installs under `stage`, so that nothing half-made is ever seen at `prefix`. */
export async function buildPython({ source, work, stage, prefix, profile, log, report }) {
  const build = path.join(work, 'build')
  const context = { build, source, prefix, profile, log, report }
  const resumed = fs.existsSync(path.join(build, '.configured'))
  try {
    await compile(context)
  } catch (error) {
    // A killed compiler can leave half an object file, which make takes for a whole one.
    if (!resumed || error.code !== 'PYTHON_BUILD') throw error
    report('starting over: the interrupted build can not be continued')
    fs.rmSync(build, { recursive: true, force: true })
    await compile(context)
  }

  report('installing')
  fs.rmSync(stage, { recursive: true, force: true })
  await run('make', ['install', `DESTDIR=${stage}`], {
    log,
    cwd: build,
    env: environment(profile),
    failure: failed('make install', log),
  })
  const root = path.join(stage, prefix)
  arrange(root, source, build)
  const interpreter = path.join(root, 'bin', 'python3.13t')
  await run(interpreter, ['-I', '-S', '-c', SMOKE], { log, failure: failed('a module of the standard library', log) })
}

function environment(profile) {
  return {
    ...process.env,
    LC_ALL: 'C.UTF-8',
    CC: profile.cc,
    CXX: profile.cxx,
    CFLAGS: profile.cflags.join(' '),
    LDFLAGS: profile.ldflags.join(' '),
    ...profile.tools,
  }
}

function failed(what, log) {
  return (tail) => new SetupFailure('PYTHON_BUILD', `building CPython: ${what} failed${complaint(tail)}`, { log })
}

/** What configure or a compiler said first of it; configure names the folder before the reason. */
export function complaint(tail) {
  const lines = tail.split('\n').map((text) => text.trim())
  const line =
    lines.find((text) => /^configure: error: (?!in )/.test(text)) ??
    lines.find((text) => /\berror\b|\w+Error: /.test(text) && !/^make/.test(text))
  return line ? `: ${line.replace(/^configure: error: /, '').slice(0, 160)}` : ''
}

async function compile({ build, source, prefix, profile, log, report }) {
  fs.mkdirSync(build, { recursive: true })
  const env = environment(profile)
  const configured = path.join(build, '.configured')
  if (!fs.existsSync(configured)) {
    report('configuring')
    const args = [`--prefix=${prefix}`, ...configureArguments()]
    await run(path.join(source, 'configure'), args, {
      log,
      cwd: build,
      env,
      onLine: report,
      failure: failed('configure', log),
    })
    fs.writeFileSync(configured, '')
  }
  const total = countObjects(build, env)
  let compiled = 0
  const onLine = (line) => {
    if (COMPILES.test(line)) compiled += 1
    report(`compiled ${compiled} of ${Math.max(compiled, total)} files`)
  }
  const jobs = String(Math.min(os.availableParallelism(), 16))
  await run('make', ['-j', jobs], { log, cwd: build, env, onLine, failure: failed('make', log) })
}

const COMPILES = / -c .* -o \S+\.o /

/** How much there is to do, asked of make itself: after an interruption it is less. */
function countObjects(build, env) {
  const plan = capture('make', ['-n'], { cwd: build, env }) ?? ''
  return plan.split('\n').filter((line) => COMPILES.test(line)).length
}

function arrange(root, source, build) {
  const stdlib = path.join(root, 'lib', 'python3.13t')
  for (const name of NEEDLESS) fs.rmSync(path.join(stdlib, name), { recursive: true, force: true })
  // The library is installed twice, a hundred megabytes each in a debugging build.
  for (const folder of fs.readdirSync(stdlib).filter((name) => name.startsWith('config-'))) {
    const copy = path.join(stdlib, folder, 'libpython3.13t.a')
    fs.rmSync(copy, { force: true })
    fs.symlinkSync('../../libpython3.13t.a', copy)
  }
  // CPython's own helper libraries are linked into its binary but not installed; the engine needs them as well.
  for (const library of HELPERS) fs.cpSync(path.join(build, library), path.join(root, 'lib', path.basename(library)))
  // --disable-test-modules leaves these out as well, but the compatibility tests run CPython's own test files.
  fs.cpSync(path.join(source, 'Lib', 'test'), path.join(stdlib, 'test'), { recursive: true })
}
