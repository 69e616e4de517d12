import { describe, expect, it } from 'vitest'
import { EngineClosedError, EngineMissingError, PyIsolateError, RefusedError, SpawnError } from '../src/index.js'

describe('errors', () => {
  const all = [
    [new EngineMissingError('m'), 'EngineMissingError', 'ERR_PYISOLATE_ENGINE_MISSING'],
    [new EngineClosedError('m'), 'EngineClosedError', 'ERR_PYISOLATE_ENGINE_CLOSED'],
    [new RefusedError('m'), 'RefusedError', 'ERR_PYISOLATE_REFUSED'],
    [new SpawnError('m'), 'SpawnError', 'ERR_PYISOLATE_SPAWN'],
  ] as const

  it.each(all)('%s has its name and code', (error, name, code) => {
    expect(error).toMatchObject({ name, code, message: 'm' })
    expect(Object.keys(error)).not.toContain('name')
    expect(PyIsolateError.isInstance(error)).toBe(true)
  })

  it('tells one from another by code', () => {
    expect(SpawnError.isInstance(new SpawnError('m'))).toBe(true)
    expect(SpawnError.isInstance(new RefusedError('m'))).toBe(false)
  })

  it('recognises the error of another copy of the package', () => {
    const foreign = Object.assign(new Error('m'), {
      [Symbol.for('pyisolate.error')]: true,
      code: 'ERR_PYISOLATE_SPAWN',
    })
    expect(SpawnError.isInstance(foreign)).toBe(true)
    expect(PyIsolateError.isInstance(new Error('m'))).toBe(false)
    expect(PyIsolateError.isInstance({ [Symbol.for('pyisolate.error')]: true })).toBe(false)
  })

  it('keeps the cause, and only if there is one', () => {
    const cause = new Error('why')
    expect(new SpawnError('m', { cause }).cause).toBe(cause)
    expect('cause' in new SpawnError('m')).toBe(false)
  })

  it('lists what is missing, frozen', () => {
    const error = new RefusedError('m', { missing: ['seccomp'] })
    expect(error.missing).toEqual(['seccomp'])
    expect(Object.isFrozen(error.missing)).toBe(true)
  })
})
