import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { join } from 'node:path'
import { allow, read, write } from './lab.js'
import { bind, connect, net, sendto, udp, unix } from './rules.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

export const sockets: readonly Scenario[] = [
  {
    name: 'connect: address, prefix, port, family and protocol each have to fit, and an event names the peer',
    by: 'bpf-lsm',
    rules: ['net.connect', 'net.deny'],
    async run(lab) {
      await using server = new Subject()
      for (const at of ['127.0.0.1 8001', '127.0.0.1 8002', '127.1.0.1 8001', '::1 8001'])
        assert.equal(await server.call('main', `serve tcp ${at}`), 'ok')
      const nets = [
        net('127.0.0.0', 16, [8000, 8002], { rule: 0 }),
        net('127.0.0.1', 32, [8002, 8002], { rule: 3, deny: true, ops: 7 }),
      ]
      const { subject, sandbox } = await lab.confined({ nets })
      await using _ = subject
      assert.equal(await subject.call('main', 'connect tcp 127.0.0.1 8001'), 'ok')
      assert.deepEqual(lab.denials(sandbox), [])
      const denied: [call: string, object: string, rule: number | undefined][] = [
        ['connect tcp 127.0.0.1 8002', 'tcp://127.0.0.1:8002', 3],
        ['connect tcp 127.1.0.1 8001', 'tcp://127.1.0.1:8001', undefined],
        ['connect tcp 127.0.0.1 8003', 'tcp://127.0.0.1:8003', undefined],
        ['connect udp 127.0.0.1 8001', 'udp://127.0.0.1:8001', undefined],
        ['connect tcp ::1 8001', 'tcp://[0:0:0:0:0:0:0:1]:8001', undefined],
      ]
      for (const [call, object, rule] of denied) {
        assert.equal(await subject.call('main', call), 'EACCES', call)
        assert.deepEqual(
          lab.denials(sandbox).map((event) => [event.operation, event.object, event.rule]),
          [['connect', object, rule]],
        )
      }
    },
  },
  {
    name: 'an IPv4 address in IPv6 clothing is an IPv4 address, and no address at all is the loopback one',
    by: 'bpf-lsm',
    rules: ['net.connect'],
    async run(lab) {
      await using server = new Subject()
      assert.equal(await server.call('main', 'serve tcp 127.0.0.1 8011'), 'ok')
      assert.equal(await server.call('main', 'serve tcp 127.0.0.1 8012'), 'ok')
      const { subject } = await lab.confined({ nets: [net('127.0.0.1', 32, [8011, 8011], {})] })
      await using _ = subject
      assert.equal(await subject.call('main', 'connect tcp ::ffff:127.0.0.1 8011'), 'ok')
      assert.equal(await subject.call('main', 'connect tcp 0.0.0.0 8011'), 'ok')
      for (const host of ['::ffff:127.0.0.1', '0.0.0.0', '::ffff:0.0.0.0'])
        assert.equal(await subject.call('main', `connect tcp ${host} 8012`), 'EACCES', host)
    },
  },
  {
    name: 'IPv6 prefixes fit by their bits',
    by: 'bpf-lsm',
    rules: ['net.connect'],
    async run(lab) {
      const { subject } = await lab.confined({ nets: [net('::', 127, [8021, 8021], {})] })
      await using _ = subject
      await using server = new Subject()
      assert.equal(await server.call('main', 'serve tcp ::1 8021'), 'ok')
      assert.equal(await subject.call('main', 'connect tcp ::1 8021'), 'ok')
      assert.equal(await subject.call('main', 'connect tcp ::2 8021'), 'EACCES')
      assert.equal(await subject.call('main', 'connect tcp 8000::1 8021'), 'EACCES')
    },
  },
  {
    name: 'bind and listen: port 0 needs every port, and listening on an unbound socket is binding',
    by: 'bpf-lsm',
    rules: ['net.bind'],
    async run(lab) {
      const some = await lab.confined({ nets: [net('127.0.0.1', 32, [8031, 8039], { ops: bind })] })
      await using first = some.subject
      assert.equal(await first.call('main', 'bind tcp 127.0.0.1 8031'), 'ok')
      assert.equal(await first.call('main', 'listen tcp 127.0.0.1 8032'), 'ok')
      for (const call of [
        'bind tcp 127.0.0.1 0',
        'bind tcp 127.0.0.1 8040',
        'bind tcp 0.0.0.0 8031',
        'bind udp 127.0.0.1 8031',
      ])
        assert.equal(await first.call('main', call), 'EACCES', call)
      assert.equal(await first.call('main', 'listen-unbound'), 'EACCES')
      const every = await lab.confined({
        nets: [
          net('0.0.0.0', 0, [1, 65535], { ops: bind }),
          net('127.0.0.1', 32, [22, 22], { deny: true, ops: 7, rule: 1 }),
        ],
      })
      await using second = every.subject
      assert.equal(await second.call('main', 'listen-unbound'), 'ok')
      assert.equal(await second.call('main', 'bind tcp 127.0.0.2 0'), 'ok')
      assert.equal(await second.call('main', 'bind tcp 127.0.0.1 0'), 'EACCES')
    },
  },
  {
    name: 'sendto: datagrams by address, and TCP Fast Open is a connection',
    by: 'bpf-lsm',
    rules: ['net.sendto', 'net.connect'],
    async run(lab) {
      await using server = new Subject()
      assert.equal(await server.call('main', 'serve tcp 127.0.0.1 8041'), 'ok')
      const nets = [net('127.0.0.1', 32, [8041, 8041], { protocol: udp, ops: sendto })]
      const { subject, sandbox } = await lab.confined({ nets })
      await using _ = subject
      for (const call of ['sendto', 'sendmsg']) {
        assert.equal(await subject.call('main', `${call} udp 127.0.0.1 8041`), 'ok')
        assert.equal(await subject.call('main', `${call} udp 127.0.0.1 8042`), 'EACCES')
        assert.equal(await subject.call('main', `${call} udp ::ffff:127.0.0.1 8042`), 'EACCES')
      }
      lab.denials(sandbox)
      assert.equal(await server.call('main', 'fastopen tcp 127.0.0.1 8041'), 'ok')
      assert.equal(await subject.call('main', 'fastopen tcp 127.0.0.1 8041'), 'EACCES')
      assert.equal(lab.denials(sandbox)[0]?.operation, 'connect')
      assert.equal(await subject.call('main', 'connect udp 127.0.0.1 8041'), 'EACCES')
    },
  },
  {
    name: 'sockets that no rule can speak of are not made',
    by: 'bpf-lsm',
    rules: ['sockets'],
    async run(lab) {
      const { subject, sandbox } = await lab.confined({ nets: [net('0.0.0.0', 0, [1, 65535], { ops: 7 })] })
      await using _ = subject
      await using outside = new Subject()
      for (const call of ['socket 2 1 0', 'socket 2 2 17', 'socket 10 1 6', 'socket 1 5 0'])
        assert.equal(await subject.call('main', call), 'ok', call)
      // Raw, packet and netlink sockets, and Multipath TCP's (IPPROTO_MPTCP).
      for (const call of ['socket 2 3 1', 'socket 17 3 0', 'socket 16 3 0', 'socket 2 1 262', 'socket 10 1 262']) {
        assert.equal(await outside.call('main', call), 'ok', call)
        assert.equal(await subject.call('main', call), 'EACCES', call)
        assert.equal(lab.denials(sandbox)[0]?.operation, 'socket')
      }
      // A connection by it would be: outside it is made, to a server of plain TCP.
      await using server = new Subject()
      assert.equal(await server.call('main', 'serve tcp 127.0.0.1 8045'), 'ok')
      assert.equal(await outside.call('main', 'connect mptcp 127.0.0.1 8045'), 'ok')
      assert.equal(await subject.number('main', 'connect mptcp 127.0.0.1 8045'), 1000 + constants.errno.EACCES)
    },
  },
  {
    name: 'Unix sockets: files by identity, abstract ones by name',
    by: 'bpf-lsm',
    rules: ['unix.connect', 'unix.bind', 'unix.sendto'],
    async run(lab) {
      const folder = lab.folder('unix')
      await using server = new Subject()
      for (const name of ['good', 'bad']) {
        assert.equal(await server.call('main', `serve stream ${folder}/${name}`), 'ok')
        assert.equal(await server.call('main', `serve stream @pyi-${name}`), 'ok')
        assert.equal(await server.call('main', `serve dgram ${folder}/${name}-dgram`), 'ok')
      }
      assert.equal(await server.call('main', `symlink ${folder}/bad ${folder}/alias`), 'ok')
      const unixes = [
        unix(join(folder, 'good'), connect, 0),
        unix(join(folder, 'good-dgram'), sendto, 1),
        unix('pyi-good', connect | bind, 2, { abstract: true }),
        unix('pyi-mine', bind, 3, { abstract: true }),
        unix(lab.folder('unix/mine'), bind, 4, { subtree: true }),
      ]
      const { subject, sandbox } = await lab.confined({ unixes })
      await using _ = subject
      for (const call of [
        `connect stream ${folder}/good`,
        'connect stream @pyi-good',
        `sendto dgram ${folder}/good-dgram`,
        'bind stream @pyi-mine',
        `bind stream ${folder}/mine/socket`,
      ])
        assert.equal(await subject.call('main', call), 'ok', call)
      assert.deepEqual(lab.denials(sandbox), [])
      const denied: [call: string, operation: string, object: string][] = [
        [`connect stream ${folder}/bad`, 'connect', `${folder}/bad`],
        [`connect stream ${folder}/alias`, 'connect', `${folder}/bad`],
        ['connect stream @pyi-bad', 'connect', '@pyi-bad'],
        ['bind stream @pyi-other', 'bind', '@pyi-other'],
        [`bind stream ${folder}/other`, 'bind', `${folder}/other`],
        [`sendto dgram ${folder}/bad-dgram`, 'sendto', `${folder}/bad-dgram`],
      ]
      for (const [call, operation, object] of denied) {
        assert.equal(await subject.call('main', call), 'EACCES', call)
        assert.deepEqual(
          lab.denials(sandbox).map((event) => [event.operation, event.object]),
          [[operation, object]],
        )
      }
    },
  },
  {
    name: 'a file rule is no rule about the socket at its place',
    by: 'bpf-lsm',
    rules: ['unix.connect'],
    async run(lab) {
      const folder = lab.folder('unix-files')
      await using server = new Subject()
      assert.equal(await server.call('main', `serve stream ${folder}/socket`), 'ok')
      const { subject } = await lab.confined({ files: [allow(folder, read | write, 0)] })
      await using _ = subject
      assert.equal(await subject.call('main', `connect stream ${folder}/socket`), 'EACCES')
    },
  },
]
