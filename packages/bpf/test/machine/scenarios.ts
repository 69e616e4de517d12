import { changes } from './changes.js'
import { files } from './files.js'
import type { Scenario } from './scenario.js'
import { sockets } from './sockets.js'
import { tasks } from './tasks.js'

export const scenarios: readonly Scenario[] = [...files, ...changes, ...sockets, ...tasks]
