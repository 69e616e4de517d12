import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { allow, deny, exec, read, write } from './lab.js'
import type { Scenario } from './scenario.js'

export const changes: readonly Scenario[] = [
  {
    name: 'every change of a folder or a file needs write: without it EACCES, with it done',
    by: 'bpf-lsm',
    rules: ['fs.write'],
    async run(lab) {
      const folder = lab.folder('changes')
      const make = (where: string) => {
        mkdirSync(join(where, 'empty'), { recursive: true })
        for (const name of ['one', 'two', 'three']) lab.file(join(where, name))
      }
      const calls = (at: string): [call: string, operation: string][] => [
        [`open ${at}/new create`, 'mknod'],
        [`mkdir ${at}/folder`, 'mkdir'],
        [`rmdir ${at}/empty`, 'rmdir'],
        [`mknod ${at}/fifo`, 'mknod'],
        [`symlink one ${at}/symbolic`, 'symlink'],
        [`link ${at}/one ${at}/hard`, 'link'],
        [`chmod ${at}/one`, 'chmod'],
        [`chown ${at}/one`, 'chown'],
        [`truncate ${at}/one`, 'truncate'],
        [`rename ${at}/two ${at}/renamed`, 'rename'],
        [`unlink ${at}/three`, 'unlink'],
      ]
      make(folder)
      const reader = await lab.confined({ files: [allow(folder, read | exec, 0)] })
      await using first = reader.subject
      for (const [call, operation] of calls(folder)) {
        assert.equal(await first.call('main', call), 'EACCES', call)
        const events = lab.denials(reader.sandbox)
        assert.deepEqual(
          events.map((event) => [event.operation, event.error]),
          [[operation, 'EACCES']],
          call,
        )
        assert.ok(events[0]?.object.startsWith(`${folder}/`), `${call}: ${events[0]?.object}`)
      }
      const writer = await lab.confined({ files: [allow(folder, read | write, 0)] })
      await using second = writer.subject
      for (const [call] of calls(folder)) assert.equal(await second.call('main', call), 'ok', call)
      assert.deepEqual(lab.denials(writer.sandbox), [])
    },
  },
  {
    name: 'a new name never allows more than the old one did',
    by: 'bpf-lsm',
    rules: ['fs.write'],
    async run(lab) {
      const drop = lab.folder('moves/drop')
      const open = lab.folder('moves/open')
      const file = lab.file(join(drop, 'file'))
      const { subject } = await lab.confined({ files: [allow(drop, write, 0), allow(open, read | write, 1)] })
      await using _ = subject
      assert.equal(await subject.call('main', `open ${file} r`), 'EACCES')
      assert.equal(await subject.call('main', `rename ${file} ${open}/file`), 'EACCES')
      assert.equal(await subject.call('main', `link ${file} ${open}/file`), 'EACCES')
      lab.file(join(open, 'other'))
      assert.equal(await subject.call('main', `rename ${open}/other ${drop}/other`), 'ok')
      assert.equal(await subject.call('main', `rename ${drop}/other ${drop}/again`), 'ok')
    },
  },
  {
    name: 'what is denied is neither replaced nor taken away with its name',
    by: 'bpf-lsm',
    rules: ['fs.deny'],
    async run(lab) {
      const folder = lab.folder('replace')
      const kept = lab.file(join(folder, 'kept'))
      lab.file(join(folder, 'mine'))
      const { subject, sandbox } = await lab.confined({ files: [allow(folder, read | write, 0), deny(kept, 1, false)] })
      await using _ = subject
      assert.equal(await subject.call('main', `rename ${folder}/mine ${kept}`), 'EACCES')
      assert.equal(await subject.call('main', `unlink ${kept}`), 'EACCES')
      assert.deepEqual(
        lab.denials(sandbox).map(({ rule }) => rule),
        [1, 1],
      )
      assert.ok(existsSync(kept))
    },
  },
]
