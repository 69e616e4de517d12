// In the machine: native code of one sandbox of a shared cell that has other threads of the cell act. New code can't be
// made there, so a signal's handler is a function that is there already: setutent(3) opens the file that utmpname(3) names,
// and keeps it open. The threads of a cell share their descriptors: what came of it shows in any of them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Sandbox, Supervisor } from '@pyisolate/core'
import { folder, policy, type Scenarios, spawn, told } from './lab.js'

const takeOver = `
import ctypes, fcntl, os, threading, time
libc = ctypes.CDLL(None, use_errno=True)
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal.restype = ctypes.c_void_p
def descriptors():
    found = set()
    for fd in range(64):
        try: fcntl.fcntl(fd, fcntl.F_GETFD); found.add(fd)
        except OSError: pass
    return found
def have(thread, path):
    libc.endutent()
    libc.utmpname(path.encode())
    before = descriptors()
    libc.signal(10, ctypes.cast(libc.setutent, ctypes.c_void_p))
    if libc.syscall(234, 1, thread, 10) != 0: raise OSError(ctypes.get_errno(), 'tgkill')
    return before
def came(before):
    return [os.pread(fd, 6, 0).decode() for fd in descriptors() - before]
def wait(before):
    for i in range(3000):
        if len(descriptors()) > len(before): break
        time.sleep(0.01)
    return came(before)
`

const shared = (supervisor: Supervisor, cell: string, rules: string): Promise<Sandbox> =>
  spawn(supervisor, { isolation: 'interpreter', cell, policy: policy(rules) })

export const sharedCells: Scenarios = {
  async 'the main thread of a cell, taken over by a guest'({ held, without }) {
    const results: Record<string, unknown> = {}
    for (const [name, supervisor] of Object.entries({ without, with: held })) {
      await using guest = await shared(supervisor, 'taken over', '')
      await guest.exec(takeOver)
      // In the cell's root, and its own policy allows it: not so to the main thread.
      await guest.exec('path = os.__file__\nown = open(path).read(6)\nbefore = have(1, path)')
      results[`${name}, own`] = await guest.eval('own')
      if (name === 'without') results[name] = await guest.eval('wait(before)')
      else {
        results.told = await told(({ object }) => object.endsWith('/os.py'))
        results[name] = await guest.eval('came(before)')
      }
    }
    return results
  },

  /** What a neighbour may, any of a cell can have it do; nobody of it can do what no policy of theirs allows. */
  async 'a neighbour of a cell, taken over by a guest'({ held: supervisor }) {
    const at = join(folder, 'neighbours')
    for (const name of ['mine', 'theirs', 'nobody']) {
      mkdirSync(join(at, name), { recursive: true })
      writeFileSync(join(at, name, 'x'), name)
    }
    const results: Record<string, unknown> = {}
    await using guest = await shared(supervisor, 'neighbours', `fs: { read: [${at}/mine/**] }`)
    await using other = await shared(supervisor, 'neighbours', `fs: { read: [${at}/theirs/**] }`)
    await guest.exec(takeOver)
    const thread = await other.eval<number>(`__import__('threading').get_native_id()`)
    results.itself = await guest.eval(`attempt(open, '${at}/theirs/x')`)
    results.theirs = await guest.eval(`wait(have(${thread}, '${at}/theirs/x'))`)
    await guest.exec(`before = have(${thread}, '${at}/nobody/x')`)
    results.told = await told(({ object }) => object === `${at}/nobody/x`)
    results.nobody = await guest.eval('came(before)')
    return results
  },
}
