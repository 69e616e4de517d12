import {
  createSupervisor,
  type Denial,
  EngineMissingError,
  GuestError,
  OptionError,
  type Outcome,
  PyIsolateError,
  RefusedError,
  type Sandbox,
  SandboxClosedError,
  TimeoutError,
} from '@pyisolate/core'
import type { Engine } from '@pyisolate/interface'
import { PolicyError } from '@pyisolate/policy'
import { UsageError } from '../errors/usage-error.js'
import type { RunOutcome } from '../exit-code.js'
import type { Ending } from '../terminal.js'
import { setArguments, waitForThreads } from './guest-code.js'
import { asUsage, type RunOptions } from './options.js'
import type { Program } from './program.js'

const completed: RunOutcome = { kind: 'exit', code: 0, message: 'it ran to its end' }

/** One run of one program in one sandbox; signals may come at any time. */
export class Runner {
  readonly #options: RunOptions
  readonly #raised: (error: GuestError) => void
  readonly #denied: (denial: Denial) => void
  readonly #giveUp = new AbortController()
  #sandbox: Sandbox | undefined
  #interrupted: Ending | undefined
  /** Set when the end comes from outside, whatever the sandbox then says. */
  #verdict: RunOutcome | undefined

  constructor(options: RunOptions, raised: (error: GuestError) => void, denied: (denial: Denial) => void) {
    this.#denied = denied
    this.#options = options
    this.#raised = raised
  }

  /** Raises `KeyboardInterrupt` in the program; before there is one, ends the run. */
  interrupt(signal: Ending): void {
    this.#interrupted = signal
    if (this.#sandbox === undefined) this.end({ kind: 'interrupted', signal, message: `interrupted (${signal})` })
    else this.#sandbox.interrupt()
  }

  /** Ends it by force, with this outcome. */
  end(verdict: RunOutcome): void {
    this.#verdict ??= verdict
    this.#giveUp.abort()
    void this.#sandbox?.close()
  }

  /** @throws UsageError */
  async run(program: Program, engine: Engine): Promise<RunOutcome> {
    await using supervisor = createSupervisor({ engine })
    let outcome: RunOutcome
    try {
      const sandbox = await supervisor.spawn('run', {
        ...this.#options.spawn,
        ...(this.#options.explain && { onDenied: this.#denied }),
        signal: this.#giveUp.signal,
      })
      this.#sandbox = sandbox
      // Their bytes have been told already.
      sandbox.stdout.resume()
      sandbox.stderr.resume()
      outcome = await this.#execute(sandbox, program)
    } catch (error) {
      if (OptionError.isInstance(error)) throw asUsage(error)
      if (PolicyError.isInstance(error)) throw new UsageError(`--policy: ${error.message}`, { cause: error })
      outcome = this.#outcomeOf(error)
    }
    return this.#verdict ?? outcome
  }

  async #execute(sandbox: Sandbox, { code, filename }: Program): Promise<RunOutcome> {
    let outcome = completed
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        if (!GuestError.isInstance(error)) throw error
        // What our own ending raised in it is nobody's news.
        if (this.#verdict === undefined) this.#raised(error)
        outcome = this.#uncaught(error)
      }
    }
    const { file, args, timeout } = this.#options
    const endsAt = performance.now() + timeout
    await attempt(async () => {
      await sandbox.eval(setArguments([file, ...args]))
      await sandbox.exec(code, { filename, timeout })
    })
    await attempt(() => sandbox.eval(waitForThreads, { timeout: Math.max(1, endsAt - performance.now()) }))
    const end = await sandbox.close()
    return end.kind === 'closed' ? outcome : inFlags(end)
  }

  #uncaught(error: GuestError): RunOutcome {
    if (error.type !== 'KeyboardInterrupt' || this.#interrupted === undefined)
      return { kind: 'exit', code: 1, message: `it did not catch ${error.type}` }
    return { kind: 'interrupted', signal: this.#interrupted, message: `interrupted (${this.#interrupted})` }
  }

  #outcomeOf(error: unknown): RunOutcome {
    if (SandboxClosedError.isInstance(error)) return inFlags(error.outcome)
    if (TimeoutError.isInstance(error)) {
      const ms = this.#options.timeout
      return { kind: 'timeout', limit: 'call', ms, message: `it ran longer than ${ms} ms (--timeout)` }
    }
    if (EngineMissingError.isInstance(error)) return failed('engine-missing', error)
    if (RefusedError.isInstance(error)) return failed('refused', error)
    if (PyIsolateError.isInstance(error)) return failed('spawn', error)
    // A spawn that was given up rejects with the signal's reason.
    if (this.#verdict !== undefined) return this.#verdict
    throw error
  }
}

function failed(kind: 'engine-missing' | 'refused' | 'spawn', { message }: Error): RunOutcome {
  return { kind, detail: message, message }
}

/** Says which flag a limit is, where `core` names its option. */
function inFlags(outcome: Outcome): RunOutcome {
  switch (outcome.kind) {
    case 'cpu':
      return { ...outcome, message: `it used its ${outcome.ms} ms of CPU time (--cpu)` }
    case 'memory':
      return { ...outcome, message: `it could not go on with ${outcome.bytes} bytes of memory (--memory)` }
    case 'output':
      return { ...outcome, message: `it printed more than ${outcome.bytes} bytes (--output)` }
    default:
      return outcome
  }
}
