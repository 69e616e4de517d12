import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { allow, deny, exec, policy, read, write } from './lab.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

export const files: readonly Scenario[] = [
  {
    name: 'a thread is denied an open that another thread of its process may do, and an event says why',
    by: 'bpf-lsm',
    rules: ['fs.deny', 'threads'],
    needs: 'thread-label',
    async run(lab) {
      const folder = lab.folder('threads')
      const secret = lab.file(join(folder, 'secret'))
      const open = lab.file(join(folder, 'open'))
      await using subject = new Subject()
      assert.equal(await subject.call('a', `open ${secret} r`), 'ok')
      const slot = lab.slot()
      const sandbox = lab.sandbox()
      assert.deepEqual(lab.lsm.putPolicy(slot, policy({ files: [allow(folder, read, 3), deny(secret, 7, false)] })), [])
      lab.lsm.label(await subject.id('a'), { sandbox, slot })
      lab.lsm.events()
      assert.equal(await subject.call('a', `open ${secret} r`), 'EACCES')
      assert.equal(await subject.call('b', `open ${secret} r`), 'ok')
      assert.equal(await subject.call('a', `open ${open} r`), 'ok')
      const [event, ...more] = lab.denials(sandbox)
      assert.deepEqual(more, [])
      assert.equal(event?.object, secret)
      assert.equal(event?.rule, 7)
      assert.equal(event?.operation, 'open')
      assert.equal(event?.error, 'EACCES')
      assert.equal(event?.generation, 1)
      assert.equal(event?.lost, 0)
    },
  },
  {
    name: 'reading and writing are told apart, and both are asked for when a file is opened for both',
    by: 'bpf-lsm',
    rules: ['fs.read', 'fs.write', 'reload'],
    async run(lab) {
      const folder = lab.folder('modes')
      const file = lab.file(join(folder, 'file'))
      const { subject, sandbox } = await lab.confined({ files: [allow(folder, read, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', `open ${file} r`), 'ok')
      assert.equal(await subject.call('main', `open ${file} w`), 'EACCES')
      assert.equal(await subject.call('main', `open ${file} rw`), 'EACCES')
      const both = lab.slot()
      lab.lsm.putPolicy(both, policy({ files: [allow(folder, read, 0), allow(file, write, 1, false)] }))
      assert.equal(lab.lsm.swap(sandbox, both), 2)
      assert.equal(await subject.call('main', `open ${file} rw`), 'ok')
    },
  },
  {
    name: 'a rule about a file is not about its neighbours, and a rule about a folder is about all below it',
    by: 'bpf-lsm',
    rules: ['fs.read'],
    async run(lab) {
      const folder = lab.folder('subtree/a/b/c')
      const deep = lab.file(join(folder, 'deep'))
      const other = lab.file(join(lab.root, 'subtree', 'other'))
      const { subject } = await lab.confined({ files: [allow(join(lab.root, 'subtree/a'), read, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', `open ${deep} r`), 'ok')
      assert.equal(await subject.call('main', `open ${other} r`), 'EACCES')
      const { subject: second } = await lab.confined({ files: [allow(join(lab.root, 'subtree/a'), read, 0, false)] })
      await using __ = second
      assert.equal(await second.call('main', `open ${deep} r`), 'EACCES')
      assert.equal(await second.call('main', `open ${join(lab.root, 'subtree/a')} r`), 'ok')
    },
  },
  {
    name: 'a denial wins over any number of allowances, and its number is the lowest that fits',
    by: 'bpf-lsm',
    rules: ['fs.deny'],
    async run(lab) {
      const folder = lab.folder('deny/private')
      const file = lab.file(join(folder, 'file'))
      const top = join(lab.root, 'deny')
      const { subject, sandbox } = await lab.confined({
        files: [allow(top, read, 0), allow(file, read, 1, false), deny(folder, 5), deny(file, 4, false)],
      })
      await using _ = subject
      assert.equal(await subject.call('main', `open ${file} r`), 'EACCES')
      assert.equal(lab.denials(sandbox).at(-1)?.rule, 4)
    },
  },
  {
    name: 'symbolic links, hard links, "..", bind mounts and a rename by others change nothing',
    by: 'bpf-lsm',
    rules: ['fs.deny'],
    async run(lab) {
      const top = lab.folder('names')
      const secret = lab.file(join(lab.folder('names/private'), 'secret'))
      const open = lab.folder('names/open')
      symlinkSync(secret, join(open, 'symbolic'))
      linkSync(secret, join(open, 'hard'))
      mkdirSync(join(open, 'bound'))
      await using outside = new Subject()
      assert.equal(await outside.call('main', `mount ${join(top, 'private')} ${join(open, 'bound')}`), 'ok')
      const { subject } = await lab.confined({ files: [allow(open, read, 0), deny(secret, 1, false)] })
      await using _ = subject
      for (const path of ['symbolic', 'hard', 'bound/secret', '../private/secret', '../open/hard']) {
        assert.equal(await outside.call('main', `open ${join(open)}/${path} r`), 'ok')
        assert.equal(await subject.call('main', `open ${join(open)}/${path} r`), 'EACCES', path)
      }
      assert.equal(await outside.call('main', `rename ${secret} ${join(open, 'renamed')}`), 'ok')
      assert.equal(await subject.call('main', `open ${join(open, 'renamed')} r`), 'EACCES')
    },
  },
  {
    name: 'what a bind mount shows is judged where it is',
    by: 'bpf-lsm',
    rules: ['fs.read'],
    async run(lab) {
      const hidden = lab.folder('bind/hidden')
      const file = lab.file(join(hidden, 'file'))
      const open = lab.folder('bind/open')
      const shown = lab.folder('bind/open/shown')
      await using outside = new Subject()
      assert.equal(await outside.call('main', `mount ${hidden} ${shown}`), 'ok')
      const { subject } = await lab.confined({ files: [allow(open, read, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', `open ${join(shown, 'file')} r`), 'EACCES')
      const { subject: second } = await lab.confined({ files: [allow(hidden, read, 0)] })
      await using __ = second
      assert.equal(await second.call('main', `open ${join(shown, 'file')} r`), 'ok')
      assert.equal(await second.call('main', `open ${file} r`), 'ok')
    },
  },
  {
    name: 'procfs is never reached, and of other file systems what is mounted below a rule is',
    by: 'bpf-lsm',
    rules: ['fs.read', 'fs.write'],
    async run(lab) {
      const { subject } = await lab.confined({ files: [allow('/', read | write | exec, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', 'open /proc/self/status r'), 'EACCES')
      assert.equal(await subject.call('main', 'open /proc/self/root/etc/passwd r'), 'ok')
      assert.equal(await subject.call('main', 'open /sys/kernel/mm/transparent_hugepage/enabled r'), 'ok')
      assert.equal(await subject.call('main', `open ${lab.file(join(lab.root, 'file'))} rw`), 'ok')
    },
  },
  {
    name: 'a program is run only where exec allows it, and mapping a file for execution asks for the same',
    by: 'bpf-lsm',
    rules: ['fs.exec'],
    async run(lab) {
      const folder = lab.folder('exec')
      const program = join(folder, 'program')
      copyFileSync('/bin/true', program)
      chmodSync(program, 0o755)
      const system = ['/usr', '/etc/ld.so.cache'].map((path, i) => allow(path, read | exec, i, i === 0))
      const without = await lab.confined({ files: [...system, allow(folder, read, 2)] })
      await using subject = without.subject
      assert.equal(await subject.call('main', 'exec /bin/true'), 'ok')
      assert.equal(await subject.call('main', `exec ${program}`), 'EACCES')
      assert.deepEqual(
        lab.denials(without.sandbox).map(({ operation, object }) => [operation, object]),
        [['exec', program]],
      )
      assert.equal(await subject.call('main', `mmap ${program} r`), 'ok')
      assert.equal(await subject.call('main', `mmap ${program} x`), 'EACCES')
      assert.equal(await subject.call('main', `mprotect ${program}`), 'EACCES')
      const { subject: second } = await lab.confined({ files: [...system, allow(folder, read | exec, 2)] })
      await using _ = second
      assert.equal(await second.call('main', `exec ${program}`), 'ok')
      assert.equal(await second.call('main', `mmap ${program} x`), 'ok')
      assert.equal(await second.call('main', `mprotect ${program}`), 'ok')
    },
  },
  {
    name: 'a label without a policy is denied everything',
    by: 'bpf-lsm',
    rules: ['fail closed'],
    async run(lab) {
      const file = lab.file(join(lab.root, 'orphan'))
      const { subject, sandbox } = await lab.confined({ files: [allow('/', read | write | exec, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', `open ${file} r`), 'ok')
      lab.lsm.remove(sandbox)
      for (const call of [`open ${file} r`, 'socket 1 1 0', `unlink ${file}`, 'bpf', `mkdir ${lab.root}/x`])
        assert.equal(await subject.call('main', call), call === 'bpf' ? 'EPERM' : 'EACCES', call)
      assert.equal(existsSync(file), true)
    },
  },
]
