import fs from 'node:fs'
import path from 'node:path'
import { hashOf, readJson, requireSpace, writeAtomically } from '../cache.mjs'
import { capture, findCommand } from '../exec.mjs'
import { SetupFailure } from '../failure.mjs'
import { osRelease } from '../platform.mjs'
import { buildPython, configureArguments, LAYOUT } from './build.mjs'
import { firstToBeHad, sources, unpackSource } from './fetch.mjs'
import { probePython } from './probe.mjs'

/** The interpreter that PYISOLATE_PYTHON names, or the reason why it won't do. */
export function namedPython(env) {
  const interpreter = findCommand(env.PYISOLATE_PYTHON, env)
  if (interpreter) return probePython(path.resolve(interpreter))
  throw new SetupFailure('PYTHON_MISSING', `PYISOLATE_PYTHON: ${env.PYISOLATE_PYTHON} is not an executable file`)
}

/**
 * The interpreter to build against: the one PYISOLATE_PYTHON names, or one of our own from the cache, built
 * when it is not there yet. Returns { version, prefix, stdlib, include, library }.
 */
export async function providePython({ cache, profile, compiler, log, report, env = process.env }) {
  if (env.PYISOLATE_PYTHON) return namedPython(env)
  // Flags and compiler decide whether what is cached still fits; the version is pinned by whoever built it
  // first, until PYISOLATE_PYTHON_UPDATE asks the distribution for a newer one.
  const recipe = hashOf(
    LAYOUT,
    process.arch,
    compiler,
    configureArguments(),
    portable(profile.cflags),
    portable(profile.ldflags),
    ignoreList(profile),
  )
  const pointer = path.join(cache, `python-${profile.name}.json`)
  const known = readJson(pointer)
  if (known?.recipe === recipe && !env.PYISOLATE_PYTHON_UPDATE && complete(known.python)) return known.python

  const prefix = await build({ cache, profile, recipe, log, report })
  const python = probePython(path.join(prefix, 'bin', 'python3.13t'))
  writeAtomically(pointer, `${JSON.stringify({ recipe, python }, null, 2)}\n`)
  return python
}

function complete(python) {
  return [python.library, path.join(python.include, 'Python.h'), path.join(python.stdlib, 'os.py')].every(fs.existsSync)
}

const IGNORE_LIST = '-fsanitize-ignorelist='

/** Flags without where the checkout lies: another one takes the same build. */
function portable(flags) {
  return flags.map((flag) => (flag.startsWith(IGNORE_LIST) ? IGNORE_LIST : flag))
}

function ignoreList(profile) {
  const flag = profile.cflags.find((text) => text.startsWith(IGNORE_LIST))
  return flag ? fs.readFileSync(flag.slice(IGNORE_LIST.length), 'utf8') : ''
}

/**
 * The work folder carries the recipe in its name and stays when an attempt fails or is killed: the next one goes
 * on from the unpacked source and the objects that are there. What is finished is renamed into place in one step.
 */
async function build({ cache, profile, recipe, log, report }) {
  const work = path.join(cache, 'work', `python-${recipe}`)
  fs.mkdirSync(work, { recursive: true })
  requireSpace(cache, profile.spaceMiB * 2 ** 20 - used(work), 'building CPython')

  const candidates = sources({ folder: path.join(work, 'apt'), release: osRelease(), log, report })
  const install = async (source) => {
    const label = source.version.replace(/[^\w.+-]/g, '_')
    const prefix = path.join(cache, 'python', `${label}-${profile.name}-${recipe}`)
    if (fs.existsSync(prefix)) return prefix
    const folder = path.join(work, label)
    const stage = path.join(folder, 'stage')
    const unpacked = await unpackSource(source, { folder, log, report })
    await buildPython({ source: unpacked, work: folder, stage, prefix, profile, log, report })
    fs.mkdirSync(path.dirname(prefix), { recursive: true })
    fs.renameSync(path.join(stage, prefix), prefix)
    return prefix
  }
  const prefix = await firstToBeHad(candidates, install, report)
  fs.rmSync(work, { recursive: true, force: true })
  return prefix
}

/** What an earlier attempt has already taken need not be free again. */
function used(folder) {
  const text = capture('du', ['-sk', folder])
  return text ? Number.parseInt(text, 10) * 1024 : 0
}
