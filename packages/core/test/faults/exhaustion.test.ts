import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, skipUnless } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'

const cwd = fileURLToPath(new URL('../..', import.meta.url))
const prelude = `import { createSupervisor } from '@pyisolate/core'\nconst supervisor = createSupervisor()\n`

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
      `const { openSync } = await import('node:fs')
       await import('@pyisolate/native')
       const held = []
       try { for (;;) held.push(openSync('/dev/null')) } catch {}
       const error = await supervisor.spawn('a').catch((e) => e)
       console.log(error.code)
       const { closeSync } = await import('node:fs')
       for (const fd of held) closeSync(fd)
       console.log(await (await supervisor.spawn('b')).eval('1 + 1'))
       await supervisor.close()`,
      [],
      ['prlimit', '--nofile=256:256'],
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^ERR_PYISOLATE_(SPAWN|ENGINE_MISSING)\n2\n$/)
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
