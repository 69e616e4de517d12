import { fileURLToPath } from 'node:url'
import { runNode } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'

const OUTPUT: Record<string, string> = {
  hello: '1.4142135623730951\n',

  'host-functions': `11
{ price: 5, currency: 'USD' }
refused: we don't sell "plutonium"
we don't sell 42 at line 2
`,

  'streaming-output': `step 1 { done: 1, of: 3 }
step 2 { done: 2, of: 3 }
step 3 { done: 3, of: 3 }
stderr: finished
`,

  'thousand-sandboxes': `1000 sandboxes in 1000 processes
the sum of the squares is 332833500
0 are left
`,

  misbehaving: `reads a secret: no error; lives on, and 6 * 7 is 42
runs a program: no error; lives on, and 6 * 7 is 42
forks: no error; lives on, and 6 * 7 is 42
calls home: no error; lives on, and 6 * 7 is 42
allocates without end: ERR_PYISOLATE_GUEST; lives on, and 6 * 7 is 42
loops forever: ERR_PYISOLATE_TIMEOUT; lives on, and 6 * 7 is 42
ignores the interrupt: ERR_PYISOLATE_TIMEOUT; ended: timeout
computes in C, deaf to interrupts: ERR_PYISOLATE_TIMEOUT; ended: timeout
floods the output: ERR_PYISOLATE_SANDBOX_CLOSED; ended: output
aborts: ERR_PYISOLATE_SANDBOX_CLOSED; ended: signal
leaves: ERR_PYISOLATE_SANDBOX_CLOSED; ended: exit
0 sandboxes are left, and the host is well
`,

  'live-policy': `prices: tea,3
denied to read secret.txt by line 9
secret: Permission denied
denied to read passwd by line none
/etc/passwd: Permission denied
policy 2 is open
secret: no
`,

  preload: `imported before the guest ran: true
their mean is 0.2
csv as well: true
zygotes: 2
`,
}

describe('the example', () => {
  it.each(Object.entries(OUTPUT))('%s prints what it says', async (name, stdout) => {
    const result = await runNode(fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url)), { timeout: 50_000 })
    expect(result).toMatchObject({ stdout, code: 0, signal: null, timedOut: false })
  })
})
