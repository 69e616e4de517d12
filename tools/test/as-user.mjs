import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { NONE } from './counts.mjs'
import { testedPackages } from './packages.mjs'

/** An id that no distribution assigns: the account needs no entry anywhere, and owns nothing but our copy. */
const USER_ID = 64_913

/** Packages whose tests ask the kernel for nothing that depends on who asks: a second run as somebody else says nothing. */
const INDIFFERENT = ['tools', 'interface', 'test-kit', 'benchmarks', 'broker', 'policy']

/** Copied through a pipe, so that neither history nor intermediate objects come along; BPF objects are no such. */
const LEFT_BEHIND = ['.git', '.cache', '.turbo', 'CMakeFiles', '*.a']

/**
 * Root only: runs the tests once more as an ordinary user, in a copy of the checkout that this user owns,
 * and gives the counts and the names of what failed. For anybody else the tests have been run as an ordinary user already.
 */
export async function runAsUser({ root, names, forwarded }) {
  if (process.getuid() !== 0) return { ...NONE, failures: [] }
  const chosen = testedPackages(root)
    .map(({ name }) => name)
    .filter((name) => (names.length > 0 ? names.includes(name) : !INDIFFERENT.includes(name)))
  if (chosen.length === 0) return { ...NONE, failures: [] }

  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pyisolate-user-'))
  try {
    const checkout = copyCheckout(root, home)
    movePythonHome(checkout, home)
    const summary = path.join(home, 'summary.json')
    fs.mkdirSync(path.join(home, 'tmp'))
    execFileSync('chown', ['-R', `${USER_ID}:${USER_ID}`, home])
    process.stdout.write(`\n==== as an ordinary user (uid ${USER_ID})\n`)
    const code = await runThere({
      checkout,
      home,
      summary,
      args: [...chosen, ...(forwarded.length > 0 ? ['--', ...forwarded] : [])],
    })
    if (fs.existsSync(summary)) return JSON.parse(fs.readFileSync(summary, 'utf8'))
    return { ...NONE, failed: 1, failures: [`the run ended with code ${code} before it could count`] }
  } finally {
    fs.rmSync(home, { recursive: true, force: true })
  }
}

function copyCheckout(root, home) {
  const checkout = path.join(home, 'checkout')
  fs.mkdirSync(checkout)
  const excludes = LEFT_BEHIND.map((name) => `--exclude=${name}`)
  execFileSync('sh', [
    '-c',
    'from=$1; to=$2; shift 2; tar -C "$from" "$@" -cf - . | tar -C "$to" -xf -',
    'sh',
    root,
    checkout,
    ...excludes,
  ])
  return checkout
}

/** Root's cache is closed to others: the interpreter comes along, and the engine's pointer follows it. */
function movePythonHome(checkout, home) {
  const pointer = path.join(checkout, 'packages', 'native', 'build', 'Release', 'python-home.json')
  if (!fs.existsSync(pointer)) return
  const python = JSON.parse(fs.readFileSync(pointer, 'utf8'))
  const prefix = path.join(home, 'python')
  const stdlib = path.join(prefix, path.relative(python.prefix, python.stdlib))
  fs.mkdirSync(path.dirname(stdlib), { recursive: true })
  execFileSync('cp', ['-a', python.stdlib, stdlib])
  // A test compiles an extension module.
  execFileSync('cp', ['-a', path.join(python.prefix, 'include'), path.join(prefix, 'include')])
  // Escapes and CPython's own tests are tried in the plain interpreter first.
  const interpreter = path.join('bin', 'python3.13t')
  fs.mkdirSync(path.join(prefix, 'bin'))
  fs.copyFileSync(path.join(python.prefix, interpreter), path.join(prefix, interpreter))
  fs.writeFileSync(pointer, JSON.stringify({ ...python, prefix, stdlib }))
}

function runThere({ checkout, home, summary, args }) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(XDG_|SUDO_|npm_|PYISOLATE_PYTHON)/.test(name))
  const env = {
    ...Object.fromEntries(kept),
    HOME: home,
    USER: 'pyisolate-test',
    LOGNAME: 'pyisolate-test',
    TMPDIR: path.join(home, 'tmp'),
    PYISOLATE_CACHE: path.join(home, 'cache'),
    PYISOLATE_TEST_AS: 'user',
  }
  return new Promise((resolve, reject) => {
    // Setting the ids also drops the supplementary groups and, leaving uid 0, every capability.
    const child = spawn(process.execPath, ['tools/test/run.mjs', '--summary', summary, ...args], {
      cwd: checkout,
      uid: USER_ID,
      gid: USER_ID,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
}
