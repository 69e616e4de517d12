import assert from 'node:assert/strict'
import { join } from 'node:path'
import { compileBpf, compileContracts, compilePolicy } from '@pyisolate/policy'
import { type BpfPolicy, ContractRefusedError } from '../../src/index.js'
import { allow, type Lab, policy, read } from './lab.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

function written(sections: string): BpfPolicy {
  const compiled = compilePolicy(`version: 1\n${sections}`)
  return { ...compileBpf(compiled), contracts: compileContracts(compiled) }
}

const breaches = (lab: Lab, sandbox: bigint) =>
  lab.lsm.events().flatMap((event) => (event.kind === 'contract' && event.sandbox === sandbox ? [event] : []))

export const contracts: readonly Scenario[] = [
  {
    name: 'contracts count per sandbox: over the number it is denied, and an event says so',
    by: 'bpf-lsm',
    rules: ['contracts'],
    async run(lab) {
      const folder = lab.folder('contracts')
      const file = lab.file(join(folder, 'file'))
      const { subject, sandbox } = await lab.confined(
        written(`
fs: { read: [${folder}/**], write: [${folder}/**] }
contracts:
  - { name: few, on: open, assert: opens <= 3 }
  - { name: readers, on: open, assert: 'not writes or path in "${folder}/writable"', action: log }`),
      )
      await using _ = subject
      for (let i = 0; i < 3; i++) assert.equal(await subject.call('main', `open ${file} ${i === 1 ? 'w' : 'r'}`), 'ok')
      assert.deepEqual(
        breaches(lab, sandbox).map(({ hook, action }) => [hook, action]),
        [['open', 'log']],
      )
      // Threads and children are of the same sandbox.
      for (const [thread, call] of [
        ['main', ''],
        ['more', ''],
        ['main', 'forked '],
      ] as const)
        assert.equal(await subject.call(thread, `${call}open ${file} r`), 'EPERM')
      assert.deepEqual(
        breaches(lab, sandbox).map(({ hook, action }) => [hook, action]),
        [
          ['open', 'deny'],
          ['open', 'deny'],
          ['open', 'deny'],
        ],
      )
      assert.equal(lab.lsm.counters(sandbox).opens, 6n)
      const other = await lab.confined({ files: [allow(folder, read, 0)] })
      await using __ = other.subject
      assert.equal(await other.subject.call('main', `open ${file} r`), 'ok')
    },
  },
  {
    name: 'contracts on addresses and bytes, and one whose action is to kill',
    by: 'bpf-lsm',
    rules: ['contracts'],
    async run(lab) {
      await using server = new Subject()
      assert.equal(await server.call('main', 'serve tcp 127.0.0.1 8061'), 'ok')
      const { subject, sandbox } = await lab.confined(
        written(`
net: { connect: ['tcp://127.0.0.0/8:*'], sendto: ['udp://127.0.0.1:*'] }
contracts:
  - { name: one-peer, on: connect, assert: 'dst.addr == "127.0.0.1" and dst.port == 8061' }
  - { name: little, on: sendto, assert: bytes_sent <= 3, action: kill }`),
      )
      await using _ = subject
      assert.equal(await subject.call('main', 'connect tcp 127.0.0.1 8061'), 'ok')
      assert.equal(await subject.call('main', 'connect tcp 127.0.0.2 8061'), 'EPERM')
      assert.equal(await subject.call('main', 'connect tcp 127.0.0.1 8062'), 'EPERM')
      for (let i = 0; i < 3; i++) assert.equal(await subject.call('main', 'sendto udp 127.0.0.1 8063'), 'ok')
      assert.equal(lab.lsm.counters(sandbox).bytesSent, 3n)
      assert.ok(Number.isNaN(await subject.number('main', 'sendto udp 127.0.0.1 8063')))
      assert.equal(await subject.exit(), 'SIGKILL')
      const seen = breaches(lab, sandbox).map(({ hook, action }) => [hook, action])
      assert.deepEqual(seen, [
        ['connect', 'deny'],
        ['connect', 'deny'],
        ['sendto', 'kill'],
      ])
    },
  },
  {
    name: 'what its sockets receive is counted for contracts, those of its children included',
    by: 'bpf-lsm',
    rules: ['contracts'],
    async run(lab) {
      await using server = new Subject()
      for (const port of [8064, 8065, 8066]) assert.equal(await server.call('main', `serve-bytes ${port} 1000`), 'ok')
      await using outside = new Subject()
      assert.equal(await outside.call('main', 'receive 8064 1000'), 'ok')
      const { subject, sandbox } = await lab.confined(
        written(`
net: { connect: ['tcp://127.0.0.1:*', 'udp://127.0.0.1:*'] }
contracts: [{ name: little, on: connect, assert: bytes_received < 1500 }]`),
      )
      await using _ = subject
      assert.equal(await subject.call('main', 'receive 8065 1000'), 'ok')
      assert.equal(lab.lsm.counters(sandbox).bytesReceived, 1000n)
      assert.equal(await subject.call('main', 'connect udp 127.0.0.1 8067'), 'ok')
      assert.equal(await subject.call('other', 'forked receive 8066 1000'), 'ok')
      assert.equal(lab.lsm.counters(sandbox).bytesReceived, 2000n)
      assert.equal(await subject.call('main', 'connect udp 127.0.0.1 8067'), 'EPERM')
      assert.deepEqual(
        breaches(lab, sandbox).map(({ hook, action }) => [hook, action]),
        [['connect', 'deny']],
      )
    },
  },
  {
    name: 'a contract that the verifier refuses is a typed error with its last lines, and no policy',
    by: 'bpf-lsm',
    rules: ['contracts'],
    async run(lab) {
      const slot = lab.slot()
      // r0 = *(u64 *)(r1 + 4096); exit: reads beyond the context.
      const instructions = Buffer.from('7910001000000000' + '9500000000000000', 'hex')
      const bad = policy({ contracts: [{ hook: 'open', instructions, relocations: [] }] })
      assert.throws(
        () => lab.lsm.putPolicy(slot, bad),
        (error) =>
          ContractRefusedError.isInstance(error) &&
          error.hook === 'open' &&
          /invalid bpf_context access|func 'bpf_lsm_file_open'/.test(error.message),
      )
      assert.throws(() => lab.lsm.swap(1n, slot), /there is no policy in slot/)
    },
  },
]
