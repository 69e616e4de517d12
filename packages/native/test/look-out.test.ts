import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { type Engine, type Frame, FrameType } from '@pyisolate/interface'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { fakeNativeEngine, type Sandbox, spawnFake, string, text } from './support/fake.js'
import { runScript } from './support/run-script.js'

let engine: Engine
beforeAll(() => {
  engine = fakeNativeEngine({ pool: 0 })
})
afterAll(() => engine.close())

interface Exchange extends Sandbox {
  answers: number
  over: boolean
  /** Why the answers are wrong, if they are. */
  wrong: string | undefined
}

/** A sandbox that is sent the next message from within the callback that brings the answer to the last one. */
async function exchange(): Promise<Exchange> {
  const state = { answers: 0, over: false, wrong: undefined as string | undefined }
  const onFrame = (frame: Frame) => {
    if (frame.type !== FrameType.result || state.over) return
    if (string(frame.payload) !== `${state.answers}` || frame.id !== state.answers) state.wrong ??= `${frame.id}`
    sandbox.frames.length = 0
    state.answers++
    sandbox.cell.send(FrameType.message, state.answers, text(`${state.answers}`))
  }
  const sandbox = await spawnFake(engine, { onFrame })
  sandbox.cell.send(FrameType.message, 0, text('0'))
  return Object.assign(state, sandbox)
}

describe('exchanges that never stop for a moment', () => {
  test.each([1, 2, 9])('%i of them leave others their turns', { timeout: 60_000 }, async (count) => {
    const busy = await Promise.all(Array.from({ length: count }, exchange))
    const quiet = await spawnFake(engine)
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    for (let round = 0; round < 20; round++) {
      const before = busy.map(({ answers }) => answers)
      await new Promise((resolve) => setTimeout(resolve, 1))
      await new Promise((resolve) => setImmediate(resolve))
      const socket = connect(port, '127.0.0.1')
      socket.end('x')
      await once(socket, 'data')
      quiet.cell.send(FrameType.message, 1000 + round, text('?'))
      await quiet.next((frame) => frame.id === 1000 + round)
      // And each goes on.
      for (const [at, one] of busy.entries()) await expect.poll(() => one.answers).toBeGreaterThan(before[at]!)
    }
    for (const one of busy) {
      one.over = true
      expect(one.wrong).toBeUndefined()
    }
    server.close()
    await Promise.all([...busy, quiet].map(({ cell }) => cell.end(500)))
  })

  test('a turn of the event loop is a few hundred answers at most', async () => {
    const busy = await exchange()
    let most = 0
    while (busy.answers < 5000) {
      const before = busy.answers
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, busy.answers - before)
    }
    busy.over = true
    // None takes less than a microsecond, and 250 of those are a turn.
    expect(most).toBeLessThan(300)
  })

  test('one that is paused amid its answers, and goes on, loses none', async () => {
    const busy = await exchange()
    for (let round = 0; round < 20; round++) {
      await new Promise((resolve) => setImmediate(resolve))
      busy.cell.pause()
      const before = busy.answers
      await new Promise((resolve) => setTimeout(resolve, 2))
      expect(busy.answers).toBe(before)
      busy.cell.resume()
      await expect.poll(() => busy.answers).toBeGreaterThan(before)
    }
    expect(busy.wrong).toBeUndefined()
  })

  test('one whose guest takes its time now and then is heard all the same', async () => {
    const { cell, next } = await spawnFake(engine)
    for (let round = 0; round < 10; round++) {
      for (let id = 1; id <= 50; id++) {
        cell.send(FrameType.message, id, text('?'))
        await next((frame) => frame.id === id)
      }
      cell.send(FrameType.exec, 1000 + round, text('sleep'))
      await new Promise((resolve) => setTimeout(resolve, 5))
      cell.interrupt()
      await next((frame) => frame.id === 1000 + round)
    }
  })

  test('closed, killed and torn down in the midst of them', async () => {
    const { code, stdout, stderr } = await runScript(`
      const { Worker, isMainThread, parentPort } = await import('node:worker_threads')
      const busy = async (e, over) => {
        let answers = 0
        const cell = await e.spawn(request({
          onFrame: (frame) => {
            if (frame.type !== ${FrameType.result}) return
            if (++answers === 500) over(cell)
            if (answers < 1000) cell.send(${FrameType.message}, answers, Buffer.from('?'))
          },
          onExit: () => {},
        }))
        cell.send(${FrameType.message}, 0, Buffer.from('?'))
      }
      const e = engine()
      if (!isMainThread) {
        await busy(e, () => parentPort.postMessage('busy'))
        await busy(e, () => {})
      } else {
        for (const over of [(cell) => void cell.end(0), (cell) => cell.kill('x'), (cell) => cell.pause()])
          await new Promise((done) => busy(e, (cell) => { over(cell); setTimeout(done, 20) }))
        for (let i = 0; i < 3; i++) {
          const worker = new Worker(new URL(import.meta.url))
          await new Promise((done) => worker.once('message', done))
          await worker.terminate()
        }
        await new Promise((done) => busy(e, () => { e.close().then(done) }))
        console.log('survived')
      }`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('survived\n')
  })
})
