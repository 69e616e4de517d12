import { describe, expect, test } from 'vitest'

import { createNativeEngine } from '../src/index.js'
import { addon, cellOptions, fakeEngine, launch, text, until } from './support/fake.js'

/** Wrong on purpose: what JavaScript can do to the addon ends in an error, never in a crash. */
// biome-ignore lint/suspicious/noExplicitAny: the types are what is being broken
type Wrong = any

const listeners = { onReady: () => {}, onFailed: () => {}, onExit: () => {} }

describe('misuse of the addon', () => {
  test('launchZygote', () => {
    const launchZygote = addon.launchZygote as Wrong
    for (const bad of [undefined, null, 1, {}, { ...listeners, executable: 1, args: [], env: [] }]) {
      expect(() => launchZygote(bad)).toThrow(TypeError)
    }
    expect(() => launchZygote({ ...listeners, executable: fakeEngine, args: [1], env: [] })).toThrow(
      /args must be a string/,
    )
    expect(() => launchZygote({ ...listeners, executable: 'a\0b', args: [], env: [] })).toThrow(/NUL/)
    expect(() => launchZygote({ ...listeners, onExit: 1, executable: fakeEngine, args: [], env: [] })).toThrow(/onExit/)
    for (const sealed of ['hibrid', '', 'x25519 ', 1, null, {}]) {
      expect(() => launchZygote({ ...listeners, executable: fakeEngine, args: [], env: [], sealed })).toThrow(
        new TypeError('sealed must be a boolean, hybrid or x25519'),
      )
      expect(() => createNativeEngine({ sealed: sealed as Wrong })).toThrow(
        expect.objectContaining({ code: 'ERR_PYISOLATE_ENGINE_OPTION', option: 'sealed' }),
      )
    }
    expect(() => launchZygote({ ...listeners, executable: '/nowhere', args: [], env: [] })).toThrow(
      expect.objectContaining({ name: 'SystemError', code: 'ENOENT', syscall: 'posix_spawn' }),
    )
  })

  test('handles', async () => {
    const { zygote, gone } = await launch()
    const fork = (more: Wrong) => zygote.fork({ ...cellOptions(), ...more })
    expect(() => fork({ mode: 'thread' })).toThrow(/mode/)
    for (const ringBytes of [0, 4095, 5000, 2 ** 31, -1, Number.NaN, '65536', undefined])
      expect(() => fork({ ringBytes })).toThrow(TypeError)
    expect(() => fork({ maxFrameBytes: 2 ** 32 })).toThrow(TypeError)
    expect(() => fork({ onFrame: undefined })).toThrow(/onFrame/)

    let ended = false
    const cell = zygote.fork(cellOptions({ onExit: () => (ended = true) })) as Wrong
    for (const args of [
      [],
      [0, 0, text('')],
      [256, 0, text('')],
      [1, -1, text('')],
      [1, 0.5],
      [1, 0, 'text'],
      [1, 0, new Float64Array(1)],
      [1, 0, new ArrayBuffer(1)],
    ]) {
      expect(() => cell.send(...args)).toThrow(TypeError)
    }
    expect(() => cell.interrupt(3)).toThrow(TypeError)
    expect(() => cell.kill()).toThrow(TypeError)
    expect(() => cell.setDeadline(3, 0, 0, '')).toThrow(TypeError)
    expect(() => cell.setDeadline(0, '1', 0, '')).toThrow(TypeError)
    expect(() => cell.setCpuLimit('1')).toThrow(TypeError)
    expect(() => cell.attach(cellOptions())).toThrow(expect.objectContaining({ code: 'ESRCH' }))
    expect(() => new cell.constructor()).toThrow(/comes from/)
    expect(() => new (zygote as Wrong).constructor()).toThrow(/comes from/)
    expect(() => (zygote as Wrong).fork.call(cell, cellOptions())).toThrow(TypeError)
    expect(() => cell.send.call(zygote, 1, 0, text(''))).toThrow(TypeError)
    expect(() => cell.send.call({}, 1, 0, text(''))).toThrow(TypeError)
    cell.setDeadline(0, Number.NaN, Number.NEGATIVE_INFINITY, 'at once')
    cell.ref()
    await until('it has ended', () => ended)
    // Afterwards everything is quietly nothing.
    for (let i = 0; i < 2; i++) {
      cell.close()
      cell.kill('again')
      cell.pause()
      cell.resume()
      cell.interrupt(1)
      cell.ref()
      cell.unref()
      cell.setDeadline(0, 1, 1, '')
      cell.setCpuLimit(1)
      expect(cell.send(1, 0, text('late'))).toBe(true)
    }
    zygote.close()
    zygote.close()
    zygote.kill()
    await gone
    expect(() => zygote.fork(cellOptions())).toThrow(expect.objectContaining({ code: 'EPIPE' }))
  })

  test('closing from inside a listener', async () => {
    const { zygote, gone } = await launch()
    const calls: string[] = []
    for (const when of ['onForked', 'onFrame'] as const) {
      const cell = zygote.fork(
        cellOptions({
          [when]: () => {
            calls.push(when)
            cell.close()
            cell.close()
          },
          onExit: () => calls.push('onExit'),
        }),
      )
      cell.ref()
      await until(when, () => calls.includes(when))
    }
    zygote.close()
    await gone
    expect(calls).toEqual(['onForked', 'onFrame'])
  })
})
