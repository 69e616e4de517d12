import { type ChildProcess, spawn } from 'node:child_process'

export interface RunOptions {
  /** Passed to the script. */
  readonly args?: readonly string[]
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Milliseconds, then SIGKILL and `timedOut`. Default 30 s. */
  readonly timeout?: number
  /** Another Node to run. */
  readonly node?: string
  readonly nodeArgs?: readonly string[]
  readonly stdin?: string
  readonly uid?: number
  readonly gid?: number
  /** Called with the process once it runs: to send it signals. */
  readonly onStart?: (child: ChildProcess) => void
}

export interface RunResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
  readonly ms: number
}

/** Runs a script file in a Node process of its own: a crash or a leak there is a result here. */
export function runNode(script: string, options: RunOptions = {}): Promise<RunResult> {
  return run(options.node ?? process.execPath, [...(options.nodeArgs ?? []), script, ...(options.args ?? [])], options)
}

/** The same for ES module source. Imports resolve from `cwd`. */
export function runSource(source: string, options: RunOptions = {}): Promise<RunResult> {
  const args = [...(options.nodeArgs ?? []), '--input-type=module', '--eval', source, '--', ...(options.args ?? [])]
  return run(options.node ?? process.execPath, args, options)
}

/** Any command, without a shell. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const env = Object.fromEntries(
      Object.entries({ ...process.env, ...options.env }).filter(([, value]) => value !== undefined),
    )
    const { cwd, uid, gid } = options
    const child = spawn(command, args, { cwd, uid, gid, env, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let timedOut = false
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    // A process that doesn't read its input is no failure.
    child.stdin.on('error', () => {}).end(options.stdin ?? '')
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, options.timeout ?? 30_000)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr, timedOut, ms: performance.now() - started })
    })
    options.onStart?.(child)
  })
}
