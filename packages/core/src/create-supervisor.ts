import { settleSupervisor } from './internal/options/supervisor-options.js'
import { PythonSupervisor } from './internal/supervisor/python-supervisor.js'
import type { SupervisorOptions } from './options.js'
import type { Supervisor } from './supervisor.js'

/**
 * A supervisor of your own: other defaults, other preloaded modules, another engine. Nothing is started
 * before the first `spawn`.
 * @throws OptionError
 */
export function createSupervisor(options?: SupervisorOptions): Supervisor {
  return new PythonSupervisor(settleSupervisor(options))
}
