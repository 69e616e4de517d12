import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { forms, raceConnects, swaps } from './connect-race.js'
import { allow, deny, policy, read } from './lab.js'
import { net, udp } from './rules.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

export const races: readonly Scenario[] = [
  {
    name: `${swaps} reloads under fire: no forbidden call passes, no permitted one fails`,
    by: 'bpf-lsm',
    rules: ['reload'],
    async run(lab) {
      const folder = lab.folder('reload')
      const secret = lab.file(join(lab.root, 'reload-secret'))
      const open = lab.file(join(folder, 'open'))
      await using outside = new Subject()
      await outside.call('main', 'start')
      const unconfined = outside.number('a', `hammer ${secret}`)
      await sleep(50)
      await outside.call('main', 'stop')
      assert.ok((await unconfined) > 0)

      // The same rules in other words, in two slots of which one is filled anew now and then.
      const inOtherWords = [
        policy({ files: [allow(folder, read, 0)] }),
        policy({ files: [deny(secret, 1, false), allow(folder, read, 2), allow(lab.root, read, 3)] }),
      ] as const
      const { subject, sandbox, slot } = await lab.confined({ files: [allow(folder, read, 0)] })
      await using _ = subject
      const slots = [slot, lab.slot()] as const
      lab.lsm.putPolicy(slots[1], inOtherWords[1])
      await subject.call('main', 'start')
      const forbidden = ['a', 'b'].map((thread) => subject.number(thread, `hammer ${secret}`))
      const permitted = subject.number('c', `insist ${open}`)
      for (let i = 1; i <= swaps; i++) {
        const next = i % 2
        if (i % 500 === 499) lab.lsm.putPolicy(slots[next as 0 | 1], inOtherWords[next as 0 | 1])
        assert.equal(lab.lsm.swap(sandbox, slots[next as 0 | 1]), i + 1)
        if (i % 100 === 0) await sleep(1)
      }
      await subject.call('main', 'stop')
      assert.deepEqual(await Promise.all(forbidden), [0, 0])
      assert.equal(await permitted, 0)
      const { denied, lost } = lab.lsm.counters(sandbox)
      // As many attempts as there were denials; what came too fast for events is counted.
      assert.ok(denied > 500n, `${denied} denials`)
      assert.equal(BigInt(lab.denials(sandbox).length) + lost, denied)
    },
  },
  {
    name: `connects under ${swaps} reloads: no forbidden one passes, no permitted one fails`,
    by: 'bpf-lsm',
    rules: ['reload', 'net.connect'],
    async run(lab) {
      await using outside = new Subject()
      const { subject, sandbox, slot } = await lab.confined(forms[0])
      await using _ = subject
      const slots = [slot, lab.slot()] as const
      lab.lsm.putPolicy(slots[1], forms[1])
      await raceConnects(subject, outside, (form, filledAnew) => {
        if (filledAnew) lab.lsm.putPolicy(slots[form], forms[form])
        lab.lsm.swap(sandbox, slots[form])
      })
      assert.ok(lab.lsm.counters(sandbox).denied > 500n)
    },
  },
  {
    name: 'a path that another thread rewrites while it is judged leads to no secret',
    by: 'bpf-lsm',
    rules: ['fs.read', 'attacks'],
    async run(lab) {
      const folder = lab.folder('rewrite')
      const open = lab.file(join(folder, 'opens'), 'open')
      const secret = lab.file(join(folder, 'secret'), 'secret')
      await using outside = new Subject()
      const call = `race-open ${open} ${secret} 300`
      assert.ok((await outside.number('main', call)) > 0)
      const { subject } = await lab.confined({ files: [allow(open, read, 0, false)] })
      await using _ = subject
      assert.equal(await subject.number('main', call), 0)
      assert.equal(await subject.call('main', `open ${open} r`), 'ok')
    },
  },
  {
    name: 'an address that another thread rewrites while it is judged leads to no forbidden peer',
    by: 'bpf-lsm',
    rules: ['net.connect', 'attacks'],
    async run(lab) {
      await using outside = new Subject()
      const call = 'race-connect 8051 8052 1000'
      assert.ok((await outside.number('main', call)) > 0)
      const { subject } = await lab.confined({ nets: [net('127.0.0.1', 32, [8051, 8051], { protocol: udp })] })
      await using _ = subject
      assert.equal(await subject.number('main', call), 0)
      assert.equal(await subject.call('main', 'connect udp 127.0.0.1 8051'), 'ok')
    },
  },
  {
    name: 'what a descriptor without rights names is judged when it is opened by it',
    by: 'bpf-lsm',
    rules: ['fs.read', 'attacks'],
    async run(lab) {
      const folder = lab.folder('reopen')
      const secret = lab.file(join(lab.root, 'reopen-secret'))
      await using outside = new Subject()
      assert.equal(await outside.call('main', `reopen ${secret}`), 'ok')
      assert.equal(await outside.call('main', `open /proc/self/root${secret} r`), 'ok')
      const { subject } = await lab.confined({ files: [allow(folder, read, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', `reopen ${secret}`), 'EACCES')
      assert.equal(await subject.call('main', `open /proc/self/root${secret} r`), 'EACCES')
      assert.equal(await subject.call('main', `reopen ${lab.file(join(folder, 'open'))}`), 'ok')
    },
  },
]
