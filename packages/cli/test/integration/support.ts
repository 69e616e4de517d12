import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type RunOptions, type RunResult, runNode } from '@pyisolate/test-kit'

const command = fileURLToPath(new URL('../../bin/pyisolate.js', import.meta.url))

/** The command itself, in a process of its own, on the real engine. */
export function pyisolate(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runNode(command, { ...options, args })
}

/** Runs `code` from standard input. */
export function python(code: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  return pyisolate(['run', ...args, '-'], { ...options, stdin: code })
}

/** Sends a signal once the program has printed `word`. */
export function signalOn(word: string, ...signals: readonly NodeJS.Signals[]): (child: ChildProcess) => void {
  return (child) => {
    const left = [...signals]
    child.stdout!.on('data', (text: string) => {
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
        const signal = left.shift()
        if (signal !== undefined) child.kill(signal)
      }
    })
  }
}
