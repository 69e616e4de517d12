import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { everywhere, rejection } from './support.js'

// An extension module from outside, compiled here: what a preloaded package with C code is.

const release = join(dirname(createRequire(import.meta.url).resolve('@pyisolate/native/package.json')), 'build/Release')
const home = JSON.parse(readFileSync(join(release, 'python-home.json'), 'utf8')) as { prefix: string }
const probe = execFileSync(process.env.PYISOLATE_ENGINE || join(release, 'pyisolate-engine'), ['probe'])
const { profile } = (JSON.parse(String(probe)) as { build: { profile: string } }).build

const SOURCE = `
#include <Python.h>
static PyObject *two(PyObject *self, PyObject *none) { return PyLong_FromLong(2); }
static PyMethodDef methods[] = {{"two", two, METH_NOARGS, NULL}, {NULL}};
static PyModuleDef_Slot slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED},
  {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {0}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", NULL, 0, methods, slots};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModuleDef_Init(&module); }
`

const folder = mkdtempSync(join(tmpdir(), 'pyisolate-extension-'))
// The zygote is another user where it can be.
chmodSync(folder, 0o755)
afterAll(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'tiny.c'), SOURCE)
execFileSync('gcc', [
  '-shared',
  '-fPIC',
  `-I${home.prefix}/include/python3.13t`,
  join(folder, 'tiny.c'),
  '-o',
  join(folder, 'tiny.so'),
])

describe.each(everywhere)('a preloaded extension module in %s isolation', (isolation) => {
  const spawn = async () => {
    const supervisor = createSupervisor({ preload: ['tiny'], modulePaths: [folder] })
    onTestFinished(() => supervisor.close())
    const sandbox = await supervisor.spawn('one', { isolation, ...(isolation === 'interpreter' && { cell: 'one' }) })
    return sandbox.eval('__import__("tiny").two()')
  }

  it.skipIf(profile === 'hardened')('works', async () => {
    expect(await spawn()).toBe(2)
  })

  it.runIf(profile === 'hardened')(
    'is refused by name: its functions have no types to check calls against',
    async () => {
      const error = await rejection(spawn())
      expect(error).toMatchObject({ code: 'ERR_PYISOLATE_SPAWN' })
      expect(String(error.message)).toMatch(/tiny is an extension module.*control-flow integrity/)
    },
  )
})
