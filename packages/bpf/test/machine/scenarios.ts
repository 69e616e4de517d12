import { files } from './files.js'
import type { Scenario } from './lab.js'

export const scenarios: readonly Scenario[] = [...files]
