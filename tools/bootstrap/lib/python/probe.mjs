import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { SetupFailure } from '../failure.mjs'

const QUESTIONS = `
import json, os, sys, sysconfig
v = sysconfig.get_config_var
print(json.dumps({
  "version": "%d.%d.%d" % sys.version_info[:3],
  "freeThreaded": bool(v("Py_GIL_DISABLED")),
  "prefix": sys.base_prefix,
  "stdlib": os.path.dirname(os.__file__),
  "include": sysconfig.get_path("include"),
  "libraries": [p for p in (v("LIBDIR"), v("LIBPL")) if p],
}))
`

/** Asks an interpreter what it is; any answer that the engine could not be built with is a failure by name. */
export function probePython(interpreter) {
  const refuse = (code, what) => {
    throw new SetupFailure(code, `${interpreter} ${what}`)
  }
  const result = spawnSync(interpreter, ['-I', '-S', '-c', QUESTIONS], { encoding: 'utf8', timeout: 30_000 })
  if (result.error) refuse('PYTHON_MISSING', `can't be run: ${result.error.code ?? result.error.message}`)
  let answer
  try {
    answer = JSON.parse(result.stdout)
  } catch {
    refuse('PYTHON_MISSING', 'is not a Python interpreter')
  }
  if (!answer.version.startsWith('3.13.')) refuse('PYTHON_VERSION', `is Python ${answer.version}: 3.13 is needed`)
  if (!answer.freeThreaded) refuse('PYTHON_GIL', 'is not a free-threaded build (configure --disable-gil)')
  if (!fs.existsSync(path.join(answer.include, 'Python.h'))) {
    refuse('PYTHON_HEADERS', `has no headers: ${path.join(answer.include, 'Python.h')} is missing`)
  }
  const library = answer.libraries.map((folder) => path.join(folder, 'libpython3.13t.a')).find(fs.existsSync)
  if (!library) refuse('PYTHON_LIBRARY', `has no static library: libpython3.13t.a is missing in ${answer.libraries[0]}`)
  const { version, prefix, stdlib, include } = answer
  return { version, prefix, stdlib, include, library }
}
