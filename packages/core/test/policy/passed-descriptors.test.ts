// Descriptors that somebody passes over a Unix socket (SCM_RIGHTS, unix(7)): delegation by whoever has them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/index.js'
import { plainPython } from '../escapes/support/python.js'
import { everywhere, folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

/** A service that hands an open file to whoever connects, and takes one. */
async function service(at: string): Promise<void> {
  const code = `
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind('${at}/socket'); server.listen(); print('ready', flush=True)
peer, _ = server.accept()
with open('${at}/secret') as file: socket.send_fds(peer, [b'x'], [file.fileno()])
peer.recv(1)`
  const host = spawn(plainPython, ['-I', '-S', '-c', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void host.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: host.stdout }), 'line')
  expect(line).toBe('ready')
}

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('one that a granted service passes may be read; what it names is judged again; none can be passed on', async () => {
    const at = folder()
    writeFileSync(join(at, 'secret'), 'secret')
    await service(at)
    const given = policy(`net:\n  connect: ['unix://${at}/socket']`)
    const { sandbox, attempt } = await ruled(supervisor, { isolation, policy: given })
    expect(await attempt(`read('${at}/secret')`)).toBe('PermissionError EACCES')
    await sandbox.exec(`
peer = socket.socket(socket.AF_UNIX)
peer.connect('${at}/socket')
_, (fd,), _, _ = socket.recv_fds(peer, 1, 1)`)
    expect(await attempt('os.pread(fd, 9, 0)')).toBe("b'secret'")
    expect(await attempt("read(f'/proc/self/fd/{fd}')")).toMatch(/Error (EACCES|ENOENT)$/)
    expect(await attempt('os.open("", os.O_RDONLY, dir_fd=fd)')).toMatch(/Error (EACCES|ENOENT|ENOTDIR)$/)
    expect(await attempt("socket.send_fds(peer, [b'x'], [fd])")).toBe('PermissionError EPERM')
  })
})
