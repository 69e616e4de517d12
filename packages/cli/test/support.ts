import { PassThrough, Readable } from 'node:stream'
import { FakeEngine, type FakeEngineOptions, type FakeScript } from '@pyisolate/test-kit'
import { type Ending, main, type Terminal } from '../src/index.js'

/** A terminal in memory: what is written to it is read as text, and its user can press Ctrl-C. */
export class FakeTerminal implements Terminal {
  readonly stdin: Readable
  readonly stdout: PassThrough & { isTTY?: boolean; columns?: number }
  readonly stderr = new PassThrough()
  readonly env: Record<string, string | undefined>
  readonly #listeners = new Set<(signal: Ending) => void>()
  readonly #texts = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  constructor(options: { stdin?: string | Uint8Array; env?: Record<string, string>; stdout?: PassThrough } = {}) {
    this.stdin = Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)])
    this.env = options.env ?? {}
    this.stdout = options.stdout ?? new PassThrough()
    this.#collect('stderr', this.stderr)
    if (options.stdout === undefined) this.#collect('stdout', this.stdout)
  }

  #collect(name: 'stdout' | 'stderr', stream: PassThrough): void {
    stream.on('data', (chunk: Buffer) => {
      this.#texts[name] = Buffer.concat([this.#texts[name], chunk])
    })
  }

  get out(): string {
    return this.#texts.stdout.toString()
  }
  get outBytes(): Buffer {
    return this.#texts.stdout
  }
  get err(): string {
    return this.#texts.stderr.toString()
  }
  /** The lines of `--json`. */
  get events(): Record<string, unknown>[] {
    return this.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }

  onSignal(listener: (signal: Ending) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  get listening(): boolean {
    return this.#listeners.size > 0
  }
  press(signal: Ending): void {
    for (const listener of this.#listeners) listener(signal)
  }
}

/** `pyisolate run …` with a script that plays the guest; only `exec` reaches it. */
export async function runWith(
  script: FakeScript,
  argv: readonly string[] = [],
  { terminal = new FakeTerminal({ stdin: 'pass' }), ...engine }: FakeEngineOptions & { terminal?: FakeTerminal } = {},
): Promise<{ code: number; terminal: FakeTerminal }> {
  const fake = new FakeEngine({
    script: (request, guest) => (request.kind === 'exec' ? script(request, guest) : null),
    ...engine,
  })
  const code = await main(['run', ...argv, '-'], terminal, { engine: fake })
  return { code, terminal }
}
