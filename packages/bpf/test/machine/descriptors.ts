import assert from 'node:assert/strict'
import { join } from 'node:path'
import { allow, policy, read, write } from './lab.js'
import { bind, connect, net, sendto, udp, unix } from './rules.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

/** Hands over descriptors, one for each name; what of it is taken, by whom. */
function passing(outside: Subject) {
  let given = 0
  return {
    /** Every name is one that may be connected to. */
    rules: Array.from({ length: 40 }, (_, i) =>
      unix(`pyi-given-${process.pid}-${i}`, connect, 100, { abstract: true }),
    ),
    async take(by: Subject, what: string): Promise<string> {
      const name = `@pyi-given-${process.pid}-${given++}`
      assert.equal(await outside.call('main', `give ${name} ${what}`), 'ok', what)
      return by.call('main', `take ${name}`)
    },
  }
}

export const descriptors: readonly Scenario[] = [
  {
    name: 'a file that somebody passes is judged as if it were opened, by identity and by what it is open for',
    by: 'bpf-lsm',
    rules: ['fs.read', 'fs.write', 'fs.deny', 'attacks', 'reload'],
    async run(lab) {
      const folder = lab.folder('passed')
      const open = lab.file(join(folder, 'open'))
      const secret = lab.file(join(lab.root, 'passed-secret'))
      await using outside = new Subject()
      await using other = new Subject()
      const { take, rules } = passing(outside)
      const { subject, sandbox } = await lab.confined({ unixes: rules, files: [allow(folder, read, 0)] })
      await using _ = subject
      // Denied, in its own words, too: by the same walk.
      assert.equal(await subject.call('main', `open ${secret} r`), 'EACCES')
      for (const what of [`file ${secret} r`, `file ${open} w`, `file ${lab.root} r`, 'file /proc/self/status r']) {
        assert.equal(await take(other, what), 'ok', `${what}, unconfined`)
        lab.denials(sandbox)
        assert.equal(await take(subject, what), 'EACCES', what)
        const [event, ...more] = lab.denials(sandbox)
        assert.deepEqual(more, [])
        assert.deepEqual([event?.operation, event?.error, event?.rule], ['receive', 'EACCES', undefined])
        if (!what.includes('/proc')) assert.equal(event?.object, what.split(' ')[1])
      }
      for (const what of [`file ${open} r`, `file ${secret} path`]) assert.equal(await take(subject, what), 'ok', what)
      const tighter = lab.slot()
      const looser = policy({ unixes: rules, files: [allow(folder, read | write, 0), allow(secret, read, 1, false)] })
      lab.lsm.putPolicy(tighter, looser)
      lab.lsm.swap(sandbox, tighter)
      for (const what of [`file ${secret} r`, `file ${open} w`]) assert.equal(await take(subject, what), 'ok', what)
      assert.deepEqual(lab.denials(sandbox), [])
    },
  },
  {
    name: 'a socket that somebody passes is judged by where it leads to, or may be found',
    by: 'bpf-lsm',
    rules: ['net.connect', 'net.bind', 'unix.connect', 'unix.bind', 'attacks'],
    async run(lab) {
      const folder = lab.folder('passed-sockets')
      await using outside = new Subject()
      await using other = new Subject()
      const [good, bad] = [join(folder, 'good'), join(folder, 'bad')]
      for (const at of ['tcp 127.0.0.1 8071', 'tcp 127.0.0.1 8072', `stream ${good}`, `stream ${bad}`])
        assert.equal(await outside.call('main', `serve ${at}`), 'ok')
      const { take, rules } = passing(outside)
      const nets = [
        net('127.0.0.1', 32, [8071, 8071], {}),
        net('127.0.0.1', 32, [8075, 8075], { ops: bind }),
        net('127.0.0.1', 32, [8077, 8077], { ops: connect | sendto, protocol: udp }),
      ]
      const { subject, sandbox } = await lab.confined({ unixes: [...rules, unix(good, connect, 1)], nets })
      await using _ = subject
      const allowed = ['tcp to 8071', 'tcp at 8075', 'udp to 8077', 'tcp to 0', `unix to ${good}`]
      const denied = [
        ['tcp to 8072', 'connect', 'tcp://127.0.0.1:8072'],
        ['tcp at 8076', 'bind', 'tcp://127.0.0.1:8076'],
        ['udp to 8071', 'connect', 'udp://127.0.0.1:8071'],
        ['raw to 0', 'socket', 'address family 2'],
        [`unix to ${bad}`, 'connect', bad],
        [`unix at ${join(folder, 'own')}`, 'bind', join(folder, 'own')],
        ['unix at @pyi-passed-name', 'bind', '@pyi-passed-name'],
      ] as const
      for (const what of allowed) assert.equal(await take(subject, what), 'ok', what)
      assert.deepEqual(lab.denials(sandbox), [])
      for (const [what, operation, object] of denied) {
        assert.equal(await take(subject, what), 'EACCES', what)
        assert.deepEqual(
          lab.denials(sandbox).map((event) => [event.operation, event.object]),
          [[operation, object]],
        )
      }
      for (const what of ['tcp to 8072', 'raw to 0']) assert.equal(await take(other, what), 'ok', what)
      // Where nothing on the network is allowed, one without an address is of no use, and is refused, too.
      const without = await lab.confined({ unixes: rules })
      await using second = without.subject
      assert.equal(await take(second, 'tcp to 0'), 'EACCES')
      for (const what of ['pair', 'pipe', 'eventfd', 'memfd']) assert.equal(await take(second, what), 'ok', what)
    },
  },
]
