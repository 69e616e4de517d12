import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Io } from '../../src/index.js'
import { backends, open, readAll } from './backends.js'

describe.each(backends)('files on %s', (backend) => {
  let io: Io
  let folder: string
  beforeEach(() => {
    io = open(backend)
    folder = mkdtempSync(join(tmpdir(), 'pyisolate-io-'))
  })
  afterEach(async () => {
    await io.close()
    rmSync(folder, { recursive: true })
  })

  it('writes and reads at positions', async () => {
    const path = join(folder, 'data')
    const bytes = randomBytes(1_000_000)
    await using file = await io.open(path, 'w+')
    await file.write(0, bytes)
    await file.write(500_000, Buffer.from('here'), { timeout: 5000 })
    bytes.write('here', 500_000)
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(Buffer.from(await file.read(500_000, 4, { timeout: 5000 })).toString()).toBe('here')
    expect((await file.read(999_990, 100)).length).toBe(10)
    expect((await file.read(1_000_000, 100)).length).toBe(0)
    expect((await readAll(file.stream(1))).equals(bytes.subarray(1))).toBe(true)
  })

  it('has many operations on one file under way at once', async () => {
    const path = join(folder, 'data')
    const bytes = randomBytes(4096 * 64)
    writeFileSync(path, bytes)
    await using file = await io.open(path)
    const parts = await Promise.all(Array.from({ length: 64 }, (_, n) => file.read(n * 4096, 4096, { timeout: 5000 })))
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  })

  it('says what the kernel says', async () => {
    await expect(io.open(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_PYISOLATE_IO', errno: 'ENOENT' })
    await using file = await io.open(join(folder, 'new'), 'wx')
    await expect(io.open(join(folder, 'new'), 'wx')).rejects.toMatchObject({ errno: 'EEXIST' })
    await expect(file.read(0, 1)).rejects.toMatchObject({ errno: 'EBADF', operation: 'read' })
    await using full = await io.open('/dev/full', 'r+')
    await expect(full.write(0, Buffer.from('x'))).rejects.toMatchObject({ errno: 'ENOSPC', operation: 'write' })
  })

  it('opens nothing once it was given up', async () => {
    const giveUp = new AbortController()
    const opening = io.open('/dev/null', 'r', { signal: giveUp.signal })
    giveUp.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
    await expect(io.open('/dev/null', 'r', { signal: giveUp.signal })).rejects.toThrow('enough')
    expect(io.stats().open).toBe(0)
  })
})
