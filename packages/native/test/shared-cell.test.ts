import { DeadlineSlot, type Engine, FrameType, type SpawnRequest } from '@pyisolate/interface'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { fakeNativeEngine, type Sandbox, spawnFake, text, until } from './support/fake.js'

let engine: Engine
beforeEach(() => {
  engine = fakeNativeEngine({ pool: 0 })
})
afterEach(() => engine.close())

const join = (name: string, more: Partial<SpawnRequest> = {}): Promise<Sandbox> =>
  spawnFake(engine, { name, isolation: 'interpreter', cell: 'shared', cellInit: () => text('{}'), ...more })

async function answers({ cell, next }: Sandbox): Promise<void> {
  cell.send(FrameType.message, 99, text('?'))
  await next((frame) => frame.id === 99)
}

test('sandboxes of one name share a process, others do not', async () => {
  const [one, two, other] = await Promise.all([join('one'), join('two'), join('other', { cell: 'another' })])
  expect(one.cell.pid).toBe(two.cell.pid)
  expect(other.cell.pid).not.toBe(one.cell.pid)
  expect(engine.stats()).toEqual({ sandboxes: 3, pooled: 0, cells: 2, zygotes: 1 })
  await Promise.all([one, two, other].map(answers))
})

test('one ends, the other stays; with the last the cell ends; the name starts another', async () => {
  const one = await join('one')
  const two = await join('two')
  const { pid } = one.cell
  expect(await one.cell.end(500)).toMatchObject({ code: 0, signal: null, killedBy: null })
  expect(await one.exit).not.toHaveProperty('cell')
  await answers(two)
  await two.cell.end(500)
  await until('the cell has ended', () => engine.stats().cells === 0)
  const three = await join('three')
  expect(three.cell.pid).not.toBe(pid)
})

test('when the cell crashes, every sandbox learns it', async () => {
  const one = await join('one')
  const two = await join('two')
  one.cell.send(FrameType.exec, 2, text('abort'))
  const gone = { signal: 6, killedBy: null, cell: { name: 'shared', culprit: null } }
  expect(await one.exit).toMatchObject(gone)
  expect(await two.exit).toMatchObject(gone)
})

test('kill ends the one sandbox where that can be done', async () => {
  const one = await join('one')
  const two = await join('two')
  one.cell.send(FrameType.exec, 2, text('sleep'))
  one.cell.kill('unwanted')
  expect(await one.exit).toMatchObject({ killedBy: 'unwanted' })
  expect(await one.exit).not.toHaveProperty('cell')
  await answers(two)
})

test.each(['kill', 'deadline', 'end'] as const)(
  '%s on one that will not end takes the cell, and names the culprit',
  async (how) => {
    const bad = await join('bad')
    const good = await join('good')
    bad.cell.send(FrameType.exec, 2, text('hang'))
    await bad.next((frame) => frame.type === FrameType.post)
    if (how === 'kill') bad.cell.kill('reason')
    if (how === 'deadline') bad.cell.setDeadline(DeadlineSlot.call, 10, 20, 'reason')
    if (how === 'end') void bad.cell.end(20)
    const killedBy = how === 'end' ? 'closed' : 'reason'
    const gone = { signal: 9, killedBy, cell: { name: 'shared', culprit: 'bad' } }
    expect(await bad.exit).toMatchObject(gone)
    expect(await good.exit).toMatchObject(gone)
  },
)

test('a broken ring in one takes the cell', async () => {
  const bad = await join('bad')
  const good = await join('good')
  bad.cell.send(FrameType.exec, 2, text('corrupt-written'))
  bad.cell.send(FrameType.exec, 3, text('hang'))
  expect(await good.exit).toMatchObject({ cell: { culprit: 'bad' } })
})

test('joining while the last one leaves', async () => {
  for (let i = 0; i < 20; i++) {
    const one = await join(`a${i}`)
    const leaving = one.cell.end(500)
    const two = await join(`b${i}`)
    await leaving
    await answers(two)
    await two.cell.end(500)
  }
})

// More than a control socket holds: its other end reads nothing for a while.
test.each([
  ['cells', (i: number) => ({ cell: `cell-${i}` })],
  ['sandboxes of one cell', () => ({})],
])(
  '%s that are asked for in a burst queue',
  async (_what, more) => {
    const burst = Array.from({ length: 320 }, (_, i) => join(`one-${i}`, { preload: ['fake:late'], ...more(i) }))
    const made = await Promise.all(burst)
    await answers(made.at(-1)!)
    await Promise.all(made.map(({ cell }) => cell.end(2000)))
  },
  30_000,
)

test('blanks that are made in a burst queue, too', async () => {
  const pooling = fakeNativeEngine({ pool: 320 })
  try {
    await spawnFake(pooling, { preload: ['fake:late'] })
    await until('the pool is full', () => pooling.stats().pooled === 320, 20_000)
  } finally {
    await pooling.close()
  }
}, 30_000)
