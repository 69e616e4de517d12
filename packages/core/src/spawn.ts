import { createSupervisor } from './create-supervisor.js'
import type { SpawnOptions } from './options.js'
import type { Sandbox } from './sandbox.js'
import type { Supervisor } from './supervisor.js'

let shared: Supervisor | undefined

/**
 * Starts a sandbox under a supervisor that the whole process shares. It is made on first use, keeps its
 * zygote and pool for the next sandbox, and is closed when the process has nothing else to do: it doesn't
 * keep the process alive, its living sandboxes do.
 * @throws as `Supervisor.spawn`
 */
export async function spawn(name: string, options?: SpawnOptions): Promise<Sandbox> {
  if (shared === undefined) {
    const supervisor = createSupervisor()
    shared = supervisor
    process.once('beforeExit', () => {
      // A listener after this one may spawn again, and gets a new supervisor.
      shared = undefined
      void supervisor.close()
    })
  }
  return shared.spawn(name, options)
}
