import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { probePython } from '../lib/python/probe.mjs'
import { namedPython } from '../lib/python/provide.mjs'
import { failureOf, script, temporaryFolder } from './helpers.mjs'

/** An interpreter that answers the probe as told; `files` exist under its prefix. */
function interpreter(answer, files = []) {
  const prefix = temporaryFolder()
  for (const file of files) {
    fs.mkdirSync(path.join(prefix, path.dirname(file)), { recursive: true })
    fs.writeFileSync(path.join(prefix, file), '')
  }
  const full = {
    version: '3.13.5',
    freeThreaded: true,
    prefix,
    stdlib: `${prefix}/lib/python3.13t`,
    include: `${prefix}/include/python3.13t`,
    libraries: [`${prefix}/lib`],
    ...answer,
  }
  return script(prefix, 'python', `echo '${JSON.stringify(full)}'`)
}

const HEADERS = 'include/python3.13t/Python.h'
const LIBRARY = 'lib/libpython3.13t.a'

describe('an interpreter named by the user', () => {
  test('is taken when it has all that the engine is built from', () => {
    const python = interpreter({}, [HEADERS, LIBRARY])
    const prefix = path.dirname(python)
    expect(probePython(python)).toEqual({
      version: '3.13.5',
      prefix,
      stdlib: `${prefix}/lib/python3.13t`,
      include: `${prefix}/include/python3.13t`,
      library: `${prefix}/${LIBRARY}`,
    })
  })

  test.each([
    [
      'of another version',
      { version: '3.12.1' },
      [HEADERS, LIBRARY],
      'PYTHON_VERSION',
      'is Python 3.12.1: 3.13 is needed',
    ],
    ['with a GIL', { freeThreaded: false }, [HEADERS, LIBRARY], 'PYTHON_GIL', 'is not a free-threaded build'],
    ['without headers', {}, [LIBRARY], 'PYTHON_HEADERS', 'has no headers'],
    ['without a static library', {}, [HEADERS], 'PYTHON_LIBRARY', 'has no static library: libpython3.13t.a is missing'],
  ])('%s is refused by name', async (_what, answer, files, code, message) => {
    const python = interpreter(answer, files)
    const failure = await failureOf(() => probePython(python))
    expect(failure.code).toBe(code)
    expect(failure.message).toContain(`${python} ${message}`)
    expect(failure.message).not.toContain('\n')
  })

  test('that is something else is refused', async () => {
    const program = script(temporaryFolder(), 'python', 'echo hello')
    expect(await failureOf(() => probePython(program))).toMatchObject({
      code: 'PYTHON_MISSING',
      message: `${program} is not a Python interpreter`,
    })
  })

  test('that does not exist is refused', async () => {
    const env = { PYISOLATE_PYTHON: '/nowhere/python3.13t', PATH: '' }
    expect(await failureOf(() => namedPython(env))).toMatchObject({
      code: 'PYTHON_MISSING',
      message: 'PYISOLATE_PYTHON: /nowhere/python3.13t is not an executable file',
    })
  })
})
