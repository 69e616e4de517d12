// What a call of accept() had in hand when it was interrupted.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { served, ways } from './services-support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

async function dial(port: number): Promise<{ socket: Socket; from: number }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return { socket, from: socket.localPort! }
}

const heard = async ({ socket }: { socket: Socket }): Promise<string> => {
  let text = ''
  for await (const piece of socket) text += piece
  return text
}

describe.each(ways)('in %s, a connection that was accepted', (_, way) => {
  const listening = async () => {
    const guest = await served(supervisor, way, `net:\n  bind: ['tcp://127.0.0.1:1-65535']`)
    await guest.sandbox.exec(`
l = pyisolate.listen(("127.0.0.1", 0), timeout=10)
raw = pyisolate._HostFunction("__io__")
def serve(name):
    s, peer = l.accept()
    with s: s.sendall(f"{name} {peer[1]}".encode())
`)
    return { ...guest, port: await guest.sandbox.eval<number>('l.getsockname()[1]') }
  }

  it('is that of the next call when its own is interrupted, with its peer', async () => {
    const { sandbox, port } = await listening()
    const first = await dial(port)
    expect(await sandbox.eval('raw("accept", 9001, None, l._handle)[0]')).toBe(0)
    const second = await dial(port)
    // As what is interrupted does, once the answer has been sent.
    await sandbox.exec('raw("cancel", 9001, None)')
    expect(sandbox.stats().ioOpen).toBe(2)
    await sandbox.exec('serve("a"); serve("b")')
    expect(await heard(first)).toBe(`a ${first.from}`)
    expect(await heard(second)).toBe(`b ${second.from}`)
    expect(sandbox.stats().ioOpen).toBe(1)
  })

  it('is so as well when the interrupt comes between the answer and what is made of it', async () => {
    const { sandbox, port } = await listening()
    const socket = await dial(port)
    await sandbox.exec(`
module = __import__("sys").modules[type(l).__module__]
Real = module.Socket
class Interrupted(Real):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "_handle" and value is not None: raise KeyboardInterrupt
module.Socket = Interrupted
try: l.accept()
except KeyboardInterrupt: post("interrupted")
module.Socket = Real
serve("later")
`)
    expect(await sandbox.recv()).toBe('interrupted')
    expect(await heard(socket)).toBe(`later ${socket.from}`)
  })

  it('goes to a thread that waits already, and is closed with its listener', async () => {
    const { sandbox, port } = await listening()
    const first = await dial(port)
    await sandbox.exec('raw("accept", 9001, None, l._handle)')
    const before = sandbox.stats().ioOperations
    await sandbox.exec('t = threading.Thread(target=serve, args=("thread",)); t.start()')
    await expect.poll(() => sandbox.stats().ioOperations).toBe(before + 1)
    await sandbox.exec('raw("cancel", 9001, None); t.join()')
    expect(await heard(first)).toBe(`thread ${first.from}`)
    const second = await dial(port)
    await sandbox.exec('raw("accept", 9002, None, l._handle); raw("cancel", 9002, None); l.close()')
    expect(await heard(second)).toBe('')
    expect(sandbox.stats().ioOpen).toBe(0)
  })
})
