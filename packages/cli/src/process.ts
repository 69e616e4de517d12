import { main } from './main.js'
import type { Ending, Terminal } from './terminal.js'

const endings: readonly Ending[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

const terminal: Terminal = {
  get stdin() {
    return process.stdin
  },
  get stdout() {
    return process.stdout
  },
  get stderr() {
    return process.stderr
  },
  env: process.env,
  onSignal: (listener) => {
    for (const signal of endings) process.on(signal, listener)
    return () => {
      for (const signal of endings) process.off(signal, listener)
    }
  },
}

/** The command as a process: what `bin/pyisolate.js` is. */
export async function runProcess(): Promise<never> {
  const code = await main(process.argv.slice(2), terminal)
  // Not just `exitCode`: output that nobody takes must not keep a process that was told twice to end.
  process.exit(code)
}
