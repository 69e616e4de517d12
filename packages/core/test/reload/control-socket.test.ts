import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ControlError } from '../../src/internal/reload/control-error.js'
import { ask, control, folder } from './control-support.js'

const problem = async (path: string): Promise<string> => {
  const error = await control({ path }).then(
    () => undefined,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(ControlError)
  return (error as ControlError).problem
}

/** A socket whose process died without taking it away. */
function stale(path: string): void {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  expect(spawnSync(process.execPath, ['-e', code]).signal).toBe('SIGKILL')
  expect(lstatSync(path).isSocket()).toBe(true)
}

describe('the control socket', () => {
  it('is its owner’s alone, whatever the umask, and leaves nothing else behind', async () => {
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const root = folder()
    const { socket } = await control({ path: join(root, 'c.sock') })
    expect(lstatSync(join(root, 'c.sock')).mode & 0o777).toBe(0o600)
    expect(readdirSync(root)).toEqual(['c.sock'])
    await socket.close()
    await socket.close()
    expect(readdirSync(root)).toEqual([])
  })

  it('takes the place of one whose supervisor died, and of no other', async () => {
    const root = folder()
    const path = join(root, 'c.sock')
    stale(path)
    const first = await control({ path })
    expect((await ask(path, { token: first.token })).status).toBe(200)
    expect(await problem(path)).toBe('in-use')
    expect((await ask(path, { token: first.token })).status).toBe(200)
    expect(readdirSync(root)).toEqual(['c.sock'])
  })

  it('is opened by one of several that try at once', async () => {
    const path = join(folder(), 'c.sock')
    stale(path)
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => control({ path })))
    const opened = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(opened).toHaveLength(1)
    for (const one of tries)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'ERR_PYISOLATE_CONTROL' })
    expect((await ask(path, { token: opened[0]!.token })).status).toBe(200)
  })

  it('replaces nothing that is no socket', async () => {
    const root = folder()
    const file = join(root, 'precious')
    writeFileSync(file, 'x')
    symlinkSync('precious', join(root, 'link'))
    mkdirSync(join(root, 'folder'))
    for (const name of ['precious', 'link', 'folder']) expect(await problem(join(root, name))).toBe('path')
    expect(readdirSync(root).sort()).toEqual(['folder', 'link', 'precious'])
  })

  it('is not made where others could put theirs', async () => {
    const root = folder()
    const open = join(root, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    expect(await problem(join(open, 'c.sock'))).toBe('path')
    chmodSync(open, 0o1777)
    expect((await control({ path: join(open, 'c.sock') })).path).toBeDefined()
    expect(await problem(join(root, 'no', 'such', 'folder'))).toBe('path')
    expect(await problem(join(root, 'x'.repeat(120)))).toBe('path')
    expect(existsSync(join(root, 'no'))).toBe(false)
  })

  it('leaves what somebody else put in its place', async () => {
    const path = join(folder(), 'c.sock')
    const { socket } = await control({ path })
    rmSync(path)
    const other: Server = createServer().listen(path)
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    await socket.close()
    expect(lstatSync(path).isSocket()).toBe(true)
  })

  it('ends when what runs has been answered, not before', async () => {
    let begun = (): void => {}
    let finish = (): void => {}
    const started = new Promise<void>((resolve) => {
      begun = resolve
    })
    const reload = () =>
      new Promise<object>((resolve) => {
        finish = () => resolve({ done: true })
        begun()
      })
    const { path, socket, token } = await control({ handlers: { reload, status: async () => ({}) } })
    const idle = connect(path)
    const hungUp = new Promise((resolve) => idle.once('close', resolve))
    const reply = ask(path, { token })
    await started
    let closed = false
    const closing = socket.close().then(() => {
      closed = true
    })
    // Nobody finds it any more, and all that is left is what runs.
    await vi.waitFor(() => expect(readdirSync(dirname(path))).toEqual([]))
    await new Promise((resolve) => setImmediate(resolve))
    expect(closed).toBe(false)
    finish()
    expect(await reply).toMatchObject({ status: 200, body: { done: true } })
    await closing
    await hungUp
  })
})
