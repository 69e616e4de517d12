import { DeadlineSlot, type Engine, FrameType } from '@pyisolate/interface'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { fakeNativeEngine, sleep, spawnFake, string, text } from './support/fake.js'

const never = Number.POSITIVE_INFINITY
let engine: Engine
beforeAll(() => {
  engine = fakeNativeEngine()
})
afterAll(() => engine.close())

test('soft: an interrupt, and the sandbox lives on', async () => {
  const { cell, next } = await spawnFake(engine)
  cell.setDeadline(DeadlineSlot.call, 30, 5000, 'call')
  cell.send(FrameType.exec, 2, text('sleep'))
  expect(string((await next((frame) => frame.id === 2)).payload)).toBe('KeyboardInterrupt')
  cell.setDeadline(DeadlineSlot.call, never, never, 'call')
  cell.send(FrameType.message, 3, text('?'))
  await next((frame) => frame.id === 3)
})

test('hard: killed for that reason, soon, even while the event loop is blocked', async () => {
  const { cell, exit } = await spawnFake(engine)
  cell.send(FrameType.exec, 2, text('hang'))
  const start = performance.now()
  cell.setDeadline(DeadlineSlot.call, 20, 60, 'call')
  while (performance.now() - start < 400); // the clock is not ours
  const { pid } = cell
  expect(await exit).toMatchObject({ signal: 9, killedBy: 'call' })
  expect(pid).toBeGreaterThan(0)
})

test('the two slots are independent, and clearing one clears only it', async () => {
  const { cell, exit } = await spawnFake(engine)
  cell.setDeadline(DeadlineSlot.sandbox, never, 80, 'wall')
  cell.setDeadline(DeadlineSlot.call, 10, 20, 'call')
  cell.setDeadline(DeadlineSlot.call, never, never, 'call')
  const start = performance.now()
  expect(await exit).toMatchObject({ killedBy: 'wall' })
  expect(performance.now() - start).toBeGreaterThan(60)
})

test('a deadline moved later does not strike at the old time', async () => {
  const { cell, exit } = await spawnFake(engine)
  cell.setDeadline(DeadlineSlot.call, never, 20, 'early')
  cell.setDeadline(DeadlineSlot.call, never, 150, 'late')
  const start = performance.now()
  expect(await exit).toMatchObject({ killedBy: 'late' })
  expect(performance.now() - start).toBeGreaterThan(120)
})

test('CPU time: what spins is killed, what sleeps is not', async () => {
  const spinning = await spawnFake(engine)
  const idle = await spawnFake(engine)
  spinning.cell.setCpuLimit(100)
  idle.cell.setCpuLimit(100)
  spinning.cell.send(FrameType.exec, 2, text('spin'))
  const { killedBy, userMs, systemMs } = await spinning.exit
  expect(killedBy).toBe('cpu')
  expect(userMs + systemMs).toBeGreaterThan(90)
  expect(userMs + systemMs).toBeLessThan(350)
  await sleep(100)
  idle.cell.send(FrameType.message, 3, text('?'))
  await idle.next((frame) => frame.id === 3)
})

test('interrupt reaches a running guest', async () => {
  const { cell, next } = await spawnFake(engine)
  cell.send(FrameType.exec, 2, text('sleep'))
  await sleep(20)
  cell.interrupt()
  expect(string((await next((frame) => frame.id === 2)).payload)).toBe('KeyboardInterrupt')
})
