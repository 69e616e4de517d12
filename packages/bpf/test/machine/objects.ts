import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { unpin } from '../../src/index.js'
import { allow, read } from './lab.js'
import type { Scenario } from './scenario.js'
import { Subject } from './subject.js'

const built = fileURLToPath(new URL('../Release/', import.meta.url))

export const objects: readonly Scenario[] = [
  {
    name: 'bpftool loads every object through the verifier',
    by: 'bpf-lsm',
    rules: [],
    async run() {
      const all = readdirSync(built).filter((name) => name.endsWith('.bpf.o'))
      assert.ok(all.length > 0)
      for (const name of all) {
        const folder = `/sys/fs/bpf/check-${name.replaceAll('.', '-')}`
        const { status, stderr } = spawnSync('/usr/sbin/bpftool', ['prog', 'loadall', join(built, name), folder], {
          encoding: 'utf8',
        })
        assert.equal(status, 0, `${name}: ${stderr.slice(-2000)}`)
        assert.ok(readdirSync(folder).length >= 2)
        rmSync(folder, { recursive: true })
      }
    },
  },
  {
    name: 'pinned links go on enforcing when the supervisor is killed, until they are unpinned',
    by: 'bpf-lsm',
    rules: ['supervisor killed'],
    async run(lab) {
      const folder = '/sys/fs/bpf/pyisolate-test'
      mkdirSync(folder)
      const secret = lab.file(join(lab.root, 'pinned-secret'))
      const open = lab.file(join(lab.folder('pinned'), 'open'))
      await using subject = new Subject()
      await subject.id('main')
      const arguments_ = ['supervise', `${subject.pid}`, join(lab.root, 'pinned'), folder]
      const supervisor = spawn(process.execPath, [process.argv[1]!, ...arguments_])
      const [line] = await once(createInterface({ input: supervisor.stdout }), 'line')
      assert.equal(line, 'ready')
      assert.equal(await subject.call('main', `open ${secret} r`), 'EACCES')
      supervisor.kill('SIGKILL')
      await once(supervisor, 'exit')
      assert.equal(await subject.call('main', `open ${secret} r`), 'EACCES')
      assert.equal(await subject.call('main', `open ${open} r`), 'ok')
      await using outside = new Subject()
      assert.equal(await outside.call('main', `open ${secret} r`), 'ok')
      unpin(folder)
      assert.deepEqual(readdirSync(folder), [])
      // The kernel takes links away in the background.
      let answer = 'EACCES'
      for (let i = 0; i < 100 && answer === 'EACCES'; i++) {
        answer = await subject.call('main', `open ${secret} r`)
        if (answer === 'EACCES') await sleep(50)
      }
      assert.equal(answer, 'ok')
      rmSync(folder, { recursive: true })
    },
  },
]

/** Another supervisor, to be killed: `main.js supervise <process> <what it may read> <where to pin>`. */
export async function supervise([pid = '', folder = '', pins = '']: readonly string[]): Promise<never> {
  const { loadLsm } = await import('../../src/index.js')
  const { policy } = await import('./lab.js')
  const lsm = loadLsm()
  lsm.putPolicy(1, policy({ files: [allow(folder, read, 0)] }))
  lsm.label(Number(pid), { sandbox: 1n, slot: 1 })
  lsm.pin(pins)
  console.log('ready')
  setInterval(() => {}, 1000)
  return new Promise(() => {})
}
