import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Value } from '../../../src/index.js'
import { plainPython, syscalls, syscalls32, x32Bit } from './python.js'

/** What has been done to the host since it was last asked. */
export interface Evidence {
  readonly marker: boolean
  readonly received: readonly string[]
  readonly signals: number
  readonly touched: boolean
  readonly limited: boolean
}

/** What attacks are told; never the secret itself. */
export type Arena = Record<string, string | number | Readonly<Record<string, Value>>>

export const nothing: Evidence = { marker: false, received: [], signals: 0, touched: false, limited: false }

/** mov eax, getpid; int 0x80; ret */
const code32 = Buffer.from([0xb8, syscalls32.getpid ?? 0, 0, 0, 0, 0xcd, 0x80, 0xc3])

/** A host with something to lose: a secret in a file, in the environment and in a victim process with sockets. */
export class Host {
  readonly secret = `secret-${randomBytes(16).toString('hex')}`
  readonly folder = mkdtempSync(join(tmpdir(), 'pyisolate-host-'))
  /** A folder that sandboxes may read. */
  readonly granted = join(this.folder, 'granted')
  readonly secretFile = join(this.folder, 'secret')
  readonly #marker = join(this.folder, 'marker')
  readonly #abstract = `pyisolate-test-${randomBytes(8).toString('hex')}`
  #victim: ChildProcessWithoutNullStreams
  #lines: Interface
  #answers: AsyncIterator<string>
  arena: Arena = {}

  private constructor() {
    // Open to everybody: what stops a sandbox must not be the mode of a file.
    chmodSync(this.folder, 0o777)
    mkdirSync(this.granted)
    chmodSync(this.granted, 0o755)
    writeFileSync(this.secretFile, `${this.secret}\n`, { mode: 0o644 })
    writeFileSync(join(this.granted, 'code'), code32)
    process.env.PYISOLATE_TEST_SECRET = this.secret
    const script = fileURLToPath(new URL('victim.py', import.meta.url))
    this.#victim = spawn(plainPython, ['-I', script, this.folder, this.#abstract], { stdio: 'pipe' })
    this.#victim.stderr.pipe(process.stderr)
    this.#lines = createInterface(this.#victim.stdout)
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  static async start(): Promise<Host> {
    const host = new Host()
    const { pid, address, port, library } = JSON.parse((await host.#answers.next()).value)
    host.arena = {
      proof: createHash('sha256').update(host.secret).digest('hex'),
      host_name: createHash('sha256').update(hostname()).digest('hex'),
      secret_file: host.secretFile,
      scratch: host.folder,
      marker: host.#marker,
      abstract: host.#abstract,
      abstract_datagram: `${host.#abstract}-datagram`,
      path_socket: join(host.granted, 'stream'),
      path_datagram: join(host.granted, 'datagram'),
      port,
      library,
      victim: pid,
      victim_address: address,
      supervisor: process.pid,
      bold: 1,
      open_files: 64,
      code_file: join(host.granted, 'code'),
      syscalls,
      syscalls32,
      x32_bit: x32Bit,
    }
    return host
  }

  /** Asked and forgotten: each attack starts with a clean host. */
  async evidence(): Promise<Evidence> {
    // A datagram or a signal may be on its way.
    await new Promise((resolve) => setTimeout(resolve, 20))
    this.#victim.stdin.write('\n')
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('the victim is dead')
    const marker = existsSync(this.#marker)
    rmSync(this.#marker, { force: true })
    return { marker, ...JSON.parse(value) }
  }

  stop(): void {
    this.#victim.kill('SIGKILL')
    this.#lines.close()
    rmSync(this.folder, { recursive: true, force: true })
    delete process.env.PYISOLATE_TEST_SECRET
  }
}
