import { createSupervisor, type Enforcement } from '@pyisolate/core'
import type { Engine } from '@pyisolate/interface'

/** A sandbox that was started to see whether one can be. */
export interface SandboxTrial {
  readonly enforcement: Enforcement
  /** From the call to a sandbox that answers, a zygote's start included. */
  readonly ms?: number
  readonly python?: { readonly version: string; readonly freeThreaded: boolean }
  /** Why there is none. */
  readonly problem?: string
}

/** The guest's word, so only shown. */
const ask = "[__import__('sys').version.split()[0], not __import__('sys')._is_gil_enabled()]"

export async function trySandbox(engine: Engine): Promise<SandboxTrial> {
  const start = performance.now()
  await using supervisor = createSupervisor({ engine })
  try {
    const sandbox = await supervisor.spawn('doctor')
    const [version, freeThreaded] = await sandbox.eval<[string, boolean]>(ask, { timeout: '10s' })
    const ms = Math.round(performance.now() - start)
    const python = { version: String(version), freeThreaded: freeThreaded === true }
    return { enforcement: sandbox.enforcement, ms, python }
  } catch (error) {
    return { enforcement: [], problem: error instanceof Error ? error.message : String(error) }
  }
}
