import assert from 'node:assert/strict'
import { join } from 'node:path'
import { UnsupportedError } from '../../src/index.js'
import { allow, policy, read } from './lab.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

export const tasks: readonly Scenario[] = [
  {
    name: 'children and new threads inherit the label',
    by: 'bpf-lsm',
    rules: ['threads'],
    async run(lab) {
      const folder = lab.folder('inherit')
      const secret = lab.file(join(lab.root, 'inherit-secret'))
      const open = lab.file(join(folder, 'open'))
      const { subject } = await lab.confined({ files: [allow(folder, read, 0)] })
      await using _ = subject
      for (const thread of ['main', 'new-thread'])
        for (const call of ['', 'forked ', 'forked forked ']) {
          assert.equal(await subject.call(thread, `${call}open ${secret} r`), 'EACCES')
          assert.equal(await subject.call(thread, `${call}open ${open} r`), 'ok')
        }
    },
  },
  {
    name: 'signals stay in the sandbox',
    by: 'bpf-lsm',
    rules: ['signals'],
    async run(lab) {
      await using outside = new Subject()
      const { subject, sandbox, slot } = await lab.confined({})
      await using _ = subject
      const other = await lab.confined({})
      await using __ = other.subject
      await using friend = new Subject()
      await friend.id('main')
      lab.lsm.label(friend.pid, { sandbox, slot })
      assert.equal(await outside.call('main', `kill ${other.subject.pid} 0`), 'ok')
      for (const pid of [outside.pid, other.subject.pid])
        for (const signal of [0, 10]) assert.equal(await subject.call('main', `kill ${pid} ${signal}`), 'EPERM')
      assert.deepEqual(new Set(lab.denials(sandbox).map(({ operation }) => operation)), new Set(['kill']))
      assert.equal(await subject.call('main', `kill ${friend.pid} 0`), 'ok')
      assert.equal(await subject.call('main', `kill ${subject.pid} 0`), 'ok')
    },
  },
  {
    name: 'tracing, BPF, mounts and chroot are not for labelled threads',
    by: 'bpf-lsm',
    rules: ['ptrace, bpf, mount'],
    async run(lab) {
      const folder = lab.folder('never')
      const { subject, sandbox } = await lab.confined({ files: [allow('/', 7, 0)] })
      await using _ = subject
      // What is traced ends for its parent when its tracer has: the tracer goes first.
      await using victim = new Subject()
      await using outside = new Subject()
      await victim.id('main')
      const calls: [call: string, operation: string][] = [
        [`ptrace ${victim.pid}`, 'ptrace'],
        ['bpf', 'bpf'],
        [`mount ${folder} ${folder}`, 'mount'],
        [`umount ${folder}`, 'mount'],
        ['chroot /', 'chroot'],
      ]
      for (const [call, operation] of calls) {
        assert.equal(await outside.call('main', call), 'ok', `${call}, unconfined`)
        if (call.startsWith('umount')) assert.equal(await outside.call('main', `mount ${folder} ${folder}`), 'ok')
        assert.equal(await subject.call('main', call), 'EPERM', call)
        assert.equal(lab.denials(sandbox)[0]?.operation, operation)
      }
    },
  },
  {
    name: 'the rest of a process is labelled without taking a label from anybody',
    by: 'bpf-lsm',
    rules: ['threads'],
    needs: 'thread-label',
    async run(lab) {
      await using subject = new Subject()
      const folder = lab.folder('rest')
      const file = lab.file(join(folder, 'file'))
      for (const thread of ['main', 'guest', 'idle']) assert.equal(await subject.call(thread, `open ${file} r`), 'ok')
      const [own, rest] = [lab.slot(), lab.sandbox()]
      lab.lsm.putPolicy(own, policy({ files: [allow(folder, read, 0)] }))
      lab.lsm.label(await subject.id('guest'), { sandbox: lab.sandbox(), slot: own })
      const slot = lab.emptySlot()
      lab.lsm.labelRest(subject.pid, { sandbox: rest, slot })
      lab.lsm.labelRest(subject.pid, { sandbox: rest, slot })
      assert.equal(await subject.call('guest', `open ${file} r`), 'ok')
      // What they start from here on is theirs, too.
      for (const thread of ['main', 'idle', 'new']) assert.equal(await subject.call(thread, `open ${file} r`), 'EACCES')
      assert.deepEqual(
        lab.denials(rest).map(({ object }) => object),
        [file, file, file],
      )
      // A blank that becomes somebody's.
      lab.lsm.label(await subject.id('new'), { sandbox: lab.sandbox(), slot: own })
      assert.equal(await subject.call('new', `open ${file} r`), 'ok')
    },
  },
  {
    name: 'a thread that the kernel can name is labelled alone; where it can name only processes, that is said',
    by: 'bpf-lsm',
    rules: ['threads'],
    async run(lab) {
      await using subject = new Subject()
      const slot = lab.emptySlot()
      const thread = await subject.id('thread')
      if (lab.namesThreads) {
        lab.lsm.label(thread, { sandbox: lab.sandbox(), slot })
        assert.equal(await subject.call('thread', 'open /etc/passwd r'), 'EACCES')
        assert.equal(await subject.call('main', 'open /etc/passwd r'), 'ok')
      } else
        assert.throws(
          () => lab.lsm.label(thread, { sandbox: lab.sandbox(), slot }),
          (error) => UnsupportedError.isInstance(error) && error.minimumKernel === '6.9',
        )
    },
  },
]
