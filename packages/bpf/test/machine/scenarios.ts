import { changes } from './changes.js'
import { contracts } from './contracts.js'
import { descriptors } from './descriptors.js'
import { files } from './files.js'
import { groups } from './groups.js'
import { objects } from './objects.js'
import { properties } from './properties.js'
import { races } from './races.js'
import type { Scenario } from './scenario.js'
import { sockets } from './sockets.js'
import { tasks } from './tasks.js'

export const scenarios: readonly Scenario[] = [
  ...files,
  ...changes,
  ...sockets,
  ...descriptors,
  ...tasks,
  ...contracts,
  ...races,
  ...properties,
  ...groups,
  ...objects,
]
