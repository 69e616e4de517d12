import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, skipUnless } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'

const cwd = fileURLToPath(new URL('../..', import.meta.url))
const prelude = `import { closeSync, openSync } from 'node:fs'
import { createSupervisor } from '@pyisolate/core'
const supervisor = createSupervisor()
/** Takes every descriptor that is left; gives what gives them back. */
function takeDescriptors() {
  const held = []
  try {
    for (;;) held.push(openSync('/dev/null'))
  } catch (error) {
    if (error.code !== 'EMFILE') throw error
  }
  return () => held.forEach((fd) => closeSync(fd))
}
`

/** A supervisor started by a shell, which has changed something first. */
function runUnder(shell: string, body: string, args: readonly string[] = [], command: readonly string[] = []) {
  const node = [process.execPath, '--input-type=module', '--eval', prelude + body]
  const [program, ...rest] = [...command, '/bin/sh', '-c', `${shell}; exec "$@"`, 'sh', ...node]
  return run(program!, [...rest, '--', ...args], { cwd, timeout: 60_000 })
}

describe('no descriptor left', () => {
  it.each(['process', 'interpreter'])(
    'refuses spawns by name in %s isolation; the others live, and it recovers',
    async (isolation) => {
      const { stdout, stderr, code } = await runUnder(
        'ulimit -n 90',
        `const sandboxes = []
       let failure
       const options = (i) => (${JSON.stringify(isolation)} === 'process' ? {} : { cell: 'c' + i })
       while (!failure && sandboxes.length < 200) {
         try { sandboxes.push(await supervisor.spawn('s' + sandboxes.length, options(sandboxes.length))) } catch (error) { failure = error }
       }
       const answers = await Promise.all(sandboxes.map((s, i) => s.eval(String(i))))
       for (const s of sandboxes.splice(0, 8)) await s.close()
       const again = await supervisor.spawn('again', options('again'))
       console.log(JSON.stringify({ code: failure.code, message: failure.message, many: answers.length,
         right: answers.every((a, i) => a === i), again: await again.eval('1 + 1') }))
       await supervisor.close()`,
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const said = JSON.parse(stdout)
      expect(said).toMatchObject({ code: 'ERR_PYISOLATE_SPAWN', right: true, again: 2 })
      expect(said.message).toMatch(/EMFILE|descriptor/)
      expect(said.many).toBeGreaterThan(8)
    },
  )

  it('at the first spawn says so, too', async () => {
    const { stdout, stderr, code } = await runUnder(
      // Just enough for Node itself.
      ':',
      `const giveBack = takeDescriptors()
       const error = await supervisor.spawn('a').catch((e) => e)
       console.log(error.code)
       giveBack()
       console.log(await (await supervisor.spawn('b')).eval('1 + 1'))
       await supervisor.close()`,
      [],
      ['prlimit', '--nofile=256:256'],
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^ERR_PYISOLATE_(SPAWN|ENGINE_MISSING)\n2\n$/)
  })
})

describe('no descriptor left while others exchange', () => {
  it('fails spawns and services by name, and takes nothing from those that run', async () => {
    const { stdout, stderr, code } = await runUnder(
      'ulimit -n 160',
      `const lanes = []
       let over = false
       for (let n = 0; n < 8; n++) {
         const sandbox = await supervisor.spawn('lane' + n)
         await sandbox.exec('import pyisolate, os\\ndef serve():\\n  n = 0\\n  while (m := recv()) is not None:\\n    assert m[0] == n, (m, n)\\n    post(m)\\n    n += 1\\n  return n')
         const lane = { sandbox, exchanged: 0 }
         lane.served = sandbox.eval('serve()', { timeout: Infinity })
         lane.running = (async () => {
           for (; !over; lane.exchanged++) {
             const body = new Uint8Array(lane.exchanged % 3000).fill(lane.exchanged)
             await sandbox.send([lane.exchanged, body])
             const [number, back] = await sandbox.recv()
             if (number !== lane.exchanged || Buffer.compare(back, body) !== 0) throw new Error('lost, doubled or changed')
           }
           await sandbox.send(null)
           if (await lane.served !== lane.exchanged) throw new Error('the guest has seen another number')
         })()
         lanes.push(lane)
       }
       const progress = async (more) => {
         const goals = lanes.map((lane) => lane.exchanged + more)
         while (lanes.some((lane, n) => lane.exchanged < goals[n]))
           await Promise.race([new Promise((done) => setTimeout(done, 5)), ...lanes.map(({ running }) => running)])
       }
       const asker = await supervisor.spawn('asker')
       await asker.exec('import pyisolate, errno, os')
       const ask = () => asker.exec('try:\\n  with pyisolate.open(os.__file__) as f: said = len(f.read(10))\\nexcept OSError as e: said = errno.errorcode[e.errno]')
         .then(() => asker.eval('said'))
       await progress(20)
       const more = []
       const failures = new Set()
       while (failures.size === 0) {
         const found = await Promise.allSettled([0, 1].map((n) => supervisor.spawn('more' + more.length + '.' + n)))
         for (const one of found) one.status === 'fulfilled' ? more.push(one.value) : failures.add(one.reason.code)
       }
       const giveBack = takeDescriptors()
       const refused = await ask()
       await progress(50)
       // A blank may have been on its way before: it needs no more descriptors to become a sandbox.
       let again
       while (again === undefined)
         await supervisor.spawn('again' + more.length).then((one) => more.push(one), (error) => { again = error.code })
       giveBack()
       for (const one of more) await one.close()
       const served = await ask()
       const spawned = await (await supervisor.spawn('at last')).eval('1 + 1')
       await progress(20)
       over = true
       await Promise.all(lanes.map(({ running }) => running))
       console.log(JSON.stringify({ failures: [...failures], refused, again, served, spawned }))
       await supervisor.close()`,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      failures: ['ERR_PYISOLATE_SPAWN'],
      refused: 'EMFILE',
      again: 'ERR_PYISOLATE_SPAWN',
      served: 10,
      spawned: 2,
    })
  })
})

describe('no room on any disk', () => {
  it('is none of its business: it writes none', async (context) => {
    skipUnless(context, 'all-capabilities', 'mounts small file systems, and fills them')
    const full = mkdtempSync(join(tmpdir(), 'pyisolate-full-'))
    try {
      mkdirSync(join(full, 'tmp'))
      const { stdout, stderr, code } = await runUnder(
        [
          `set -e; full=${full}/tmp`,
          'mount --make-rprivate /',
          'for at in "$full" /dev/shm /run; do mount -t tmpfs -o size=64k none "$at"; done',
          'for at in "$full" /dev/shm /run; do head -c 1m /dev/zero > "$at/all" 2>/dev/null || true; done',
          '! echo more > "$full/more" 2>/dev/null',
          'export TMPDIR="$full" HOME="$full" XDG_RUNTIME_DIR=/run; cd .',
        ].join('\n'),
        `const all = [await supervisor.spawn('a'), await supervisor.spawn('b', { cell: 'c' })]
         for (const s of all) { await s.exec('print("x" * 100_000)\\npost(list(range(10_000)))'); console.log((await s.recv()).length) }
         await supervisor.close()`,
        [],
        ['unshare', '--mount'],
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toBe('10000\n10000\n')
    } finally {
      rmSync(full, { recursive: true, force: true })
    }
  })
})
