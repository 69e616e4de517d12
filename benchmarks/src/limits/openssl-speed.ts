import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { onPath } from '../internal/files.js'

const run = promisify(execFile)

/** Messages of `bytes` that the `openssl` command seals with ChaCha20-Poly1305 in a second; `undefined` without one. */
export async function opensslSpeed(bytes: number): Promise<number | undefined> {
  const openssl = onPath('openssl')
  if (openssl === undefined) return undefined
  const args = ['speed', '-evp', 'ChaCha20-Poly1305', '-bytes', String(bytes), '-seconds', '1', '-mr']
  const { stdout } = await run(openssl, args)
  // +F:25:ChaCha20-Poly1305:2088998000.00, in bytes a second.
  const rate = /^\+F:\d+:ChaCha20-Poly1305:([\d.]+)$/im.exec(stdout)?.[1]
  if (rate === undefined) throw new Error('openssl speed printed no rate')
  return Number(rate) / bytes
}
