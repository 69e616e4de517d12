import assert from 'node:assert/strict'
import { join } from 'node:path'
import { allow, deny, policy, read, type Scenario, write } from './lab.js'
import { Subject } from './subject.js'

export const files: readonly Scenario[] = [
  {
    name: 'one thread is denied an open that another thread of its process may do, and an event says why',
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
      lab.denials(sandbox)
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
    },
  },
  {
    name: 'read and write are told apart, and both are asked for when a file is opened for both',
    async run(lab) {
      const folder = lab.folder('modes')
      const file = lab.file(join(folder, 'file'))
      await using subject = new Subject()
      const slot = lab.slot()
      lab.lsm.putPolicy(slot, policy({ files: [allow(folder, read, 0)] }))
      const both = lab.slot()
      lab.lsm.putPolicy(both, policy({ files: [allow(folder, read, 0), allow(file, write, 1, false)] }))
      const sandbox = lab.sandbox()
      lab.lsm.label(await subject.id('a'), { sandbox, slot })
      assert.equal(await subject.call('a', `open ${file} r`), 'ok')
      assert.equal(await subject.call('a', `open ${file} w`), 'EACCES')
      assert.equal(await subject.call('a', `open ${file} rw`), 'EACCES')
      assert.equal(lab.lsm.swap(sandbox, both), 2)
      assert.equal(await subject.call('a', `open ${file} rw`), 'ok')
    },
  },
]
