import { closeSync, openSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { bandwidthRequirement } from '../src/bandwidth.js'
import { BpfError, BpfMisuseError, loadBandwidth, probe } from '../src/index.js'
import { calling, loadAddon, type NativePrograms, objectFile } from '../src/internal/addon.js'
import { decode, encode, words } from '../src/internal/layout.js'
import { ownGroup } from '../src/internal/own-group.js'
import { rateOf } from '../src/internal/rates.js'

const support = probe().find(({ feature }) => feature === 'bpf-bandwidth')!
beforeEach((context) => {
  if (support.supported) return
  // Root loads programs: there it must work.
  if (process.getuid?.() !== 0) context.skip(`needs bpf-bandwidth; ${support.evidence}`)
  expect(support.evidence).toBe('')
})

const misuse = (call: () => void): boolean => {
  try {
    call()
    return false
  } catch (error) {
    return BpfMisuseError.isInstance(error)
  }
}

test('what can’t be meant is refused, and changes nothing', () => {
  using bandwidth = loadBandwidth()
  bandwidth.add(7n, { bytesInPerSecond: 1000 })
  const none = { bytesIn: 0n, bytesOut: 0n, droppedIn: 0n, droppedOut: 0n }
  const calls = [
    () => bandwidth.add(7n, {}),
    () => bandwidth.add(0n, {}),
    () => bandwidth.add(1n << 64n, {}),
    () => bandwidth.add(8n, { bytesOutPerSecond: 0 }),
    () => bandwidth.change(7n, { bytesInPerSecond: 1.5 }),
    () => bandwidth.change(8n, {}),
    () => bandwidth.traffic(8n),
    () => bandwidth.mark(8n),
    () => bandwidth.remove(8n),
  ]
  expect(calls.map(misuse)).toEqual(calls.map(() => true))
  expect(bandwidth.traffic(7n)).toEqual(none)
  bandwidth.remove(7n)
  bandwidth.add(7n, {})
})

test.for(['/no/such/folder', '/tmp'])('%s is no control group', (group) => {
  expect(misuse(() => loadBandwidth({ group }))).toBe(true)
})

test('as many sandboxes as there are places, and no more', () => {
  using bandwidth = loadBandwidth()
  for (let i = 1n; i <= 4096n; i++) bandwidth.add(i, {})
  expect(misuse(() => bandwidth.add(4097n, {}))).toBe(true)
  bandwidth.remove(9n)
  bandwidth.add(4097n, {})
  expect(bandwidth.mark(4097n).value).not.toEqual(bandwidth.mark(4096n).value)
})

describe('a packet of a marked socket', () => {
  const socket = (sandbox: bigint) => encode('pyi_socket', { sandbox, index: 3 })
  const bytes = 29 // one, with the headers of UDP and IPv4

  function attached(): NativePrograms & Disposable {
    const native = new (loadAddon().Programs)(objectFile('bandwidth'), [])
    const group = openSync(ownGroup(bandwidthRequirement), 'r')
    for (const program of ['in', 'out']) native.attachCgroup(`pyi_socket_${program}`, group)
    closeSync(group)
    return Object.assign(native, { [Symbol.dispose]: () => native.close() })
  }

  const limit = (native: NativePrograms, sandbox: bigint, rate: Buffer) =>
    native.update('bandwidths', words(3), encode('pyi_bandwidth', { sandbox, in: rate, out: rate }))

  const counted = (native: NativePrograms, direction: 'in' | 'out'): bigint => {
    const record = native.lookup('traffics', words(3))
    return decode('pyi_usage', record.subarray(direction === 'in' ? 0 : 24), 'bytes')
  }

  test('is charged to its sandbox, and goes nowhere once that one’s place is another’s', () => {
    using native = attached()
    limit(native, 5n, rateOf(undefined))
    native.sendToItself(socket(5n))
    expect([counted(native, 'in'), counted(native, 'out')]).toEqual([BigInt(bytes), BigInt(bytes)])
    limit(native, 6n, rateOf(undefined))
    let thrown: unknown
    try {
      calling(() => native.sendToItself(socket(5n)))
    } catch (error) {
      thrown = error
    }
    expect(BpfError.isInstance(thrown) && [thrown.call, thrown.error]).toEqual(['send to 127.0.0.1', 'EPERM'])
    native.sendToItself(socket(6n))
    expect(counted(native, 'out')).toBe(BigInt(2 * bytes))
  })
})
