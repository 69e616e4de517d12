#!/usr/bin/env node
// Committed, not built: package managers link commands before anything is built.
import { runProcess } from '../dist/index.js'

await runProcess()
