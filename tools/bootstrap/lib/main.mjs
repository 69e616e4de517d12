import { explained } from './failure.mjs'
import { checkNode } from './platform.mjs'

/**
 * Runs an entry point: what fails by name is one line, anything else is a defect of ours and keeps its stack.
 * The rest is imported only after the check, so that an old Node says so instead of failing to parse.
 */
export async function main(body) {
  try {
    checkNode()
    process.exitCode = await body(await import('./setup.mjs'))
  } catch (error) {
    const known = explained(error)
    process.stderr.write(`${known.line ?? known.stack}\n`)
    process.exitCode = 1
  }
}
