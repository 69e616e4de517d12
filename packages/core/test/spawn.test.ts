import { fileURLToPath } from 'node:url'
import { runSource } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'

const cwd = fileURLToPath(new URL('..', import.meta.url))

describe('spawn without an engine', () => {
  it('says what is missing and how to get it', async () => {
    const { code, stdout, stderr } = await runSource(
      `import { spawn, EngineMissingError } from '@pyisolate/core'
       for (const name of ['a', 'b']) {
         const error = await spawn(name).catch((e) => e)
         console.log(EngineMissingError.isInstance(error), error.code, error.message)
       }`,
      { cwd, env: { PYISOLATE_ENGINE: '/nowhere/pyisolate-engine' } },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line).toMatch(/^true ERR_PYISOLATE_ENGINE_MISSING .*npm start/)
  })
})
