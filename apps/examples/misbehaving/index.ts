// Guests that do what they should not, and a host that goes on.
import { createSupervisor, PyIsolateError, type Sandbox } from '@pyisolate/core'

await using supervisor = createSupervisor({
  limits: { memory: '64MiB', callTime: '200ms', output: '64KiB', threads: 8 },
})

/** What the code came to: its error, and how the sandbox ended, if it did. */
async function attempt(what: string, code: string): Promise<void> {
  await using sandbox: Sandbox = await supervisor.spawn(what)
  const error = await sandbox.exec(code).then(
    () => 'no error',
    (error: unknown) => (PyIsolateError.isInstance(error) ? error.code : String(error)),
  )
  const fate = sandbox.state === 'closed' ? `ended: ${(await sandbox.closed).kind}` : 'lives on'
  // One that lives on still works, whatever it tried before.
  const answer = sandbox.state === 'closed' ? '' : `, and 6 * 7 is ${await sandbox.eval('6 * 7')}`
  console.log(`${what}: ${error}; ${fate}${answer}`)
}

const denied = (action: string) => `
try:
    ${action}
except OSError:
    pass
else:
    raise SystemExit("it worked!")
`

await attempt('reads a secret', denied('open("/etc/passwd").read()'))
await attempt('runs a program', denied('import subprocess; subprocess.run(["/bin/true"])'))
await attempt('forks', denied('import os; os.fork()'))
await attempt('calls home', denied('import socket; socket.create_connection(("192.0.2.1", 80), 1)'))
await attempt('allocates without end', 'def hoard(all):\n  while True: all.append(bytearray(1 << 20))\nhoard([])')
await attempt('loops forever', 'while True: pass')
await attempt('ignores the interrupt', 'while True:\n  try:\n    while True: pass\n  except BaseException: pass')
await attempt('computes in C, deaf to interrupts', 'sum(range(10 ** 12))')
await attempt('floods the output', 'while True: print("x" * 1000)')
await attempt('aborts', 'import os\nos.abort()')
await attempt('leaves', 'import os\nos._exit(3)')

console.log(supervisor.sandboxes().length, 'sandboxes are left, and the host is well')
