import fs from 'node:fs'
import path from 'node:path'
import { hashOf, hashTree, readJson, writeAtomically } from './cache.mjs'
import { capture, findCommand, run } from './exec.mjs'
import { SetupFailure } from './failure.mjs'
import { firstError } from './native.mjs'
import { withPnpm } from './pnpm.mjs'

const INPUTS = ['CMakeLists.txt', 'package.json', 'src/bpf', 'loader', 'test/subject']
const OUTPUTS = ['pyisolate_bpf.node', 'pyisolate.bpf.o', 'cgroup.bpf.o', 'pyisolate-subject', 'pyisolate-layout']
/** As in packages/bpf/CMakeLists.txt. */
const CLANGS = ['clang-19', 'clang-18', 'clang-17', 'clang']

/** Builds packages/bpf with CMake; skipped when neither sources nor compilers have changed. */
export async function buildBpf({ root, cache, profile, compiler, log, report, env }) {
  const folder = path.join(root, 'packages', 'bpf')
  const output = path.join(folder, 'build', 'Release')
  const stamp = path.join(folder, 'build', 'bootstrap.json')
  const clang = CLANGS.find((name) => findCommand(name, env))
  if (!clang) {
    throw new SetupFailure(
      'COMPILER',
      'no compiler for the BPF programs: clang-19 is not in PATH; install clang-19, clang-18 or clang-17',
    )
  }
  const recipe = hashOf(root, profile.name, compiler, capture(clang, ['--version'], { env }))
  const inputs = hashOf(recipe, hashTree(folder, INPUTS))
  const known = readJson(stamp)
  const built = OUTPUTS.every((name) => fs.existsSync(path.join(output, name)))
  if (built && known?.inputs === inputs) return
  if (known?.recipe !== recipe) {
    fs.rmSync(path.join(folder, 'build'), { recursive: true, force: true })
    fs.mkdirSync(path.join(folder, 'build'), { recursive: true })
    writeAtomically(stamp, JSON.stringify({ recipe }))
  }
  await run('pnpm', ['--filter', '@pyisolate/bpf', 'run', 'build:native'], {
    log,
    // An addon that Node loads: control-flow integrity would want all of Node built with it.
    env: { ...withPnpm(root, cache, env), CC: 'gcc', CXX: 'g++' },
    cwd: root,
    onLine: (line) => report(/^\[\d+\/\d+\]/.exec(line)?.[0] ?? line.trim()),
    failure: (tail) => new SetupFailure('BPF_BUILD', `building the BPF programs failed${firstError(tail)}`, { log }),
  })
  const absent = OUTPUTS.find((name) => !fs.existsSync(path.join(output, name)))
  if (absent) throw new SetupFailure('BPF_BUILD', `the build of the BPF programs left no ${absent}`, { log })
  writeAtomically(stamp, JSON.stringify({ recipe, inputs }))
}
