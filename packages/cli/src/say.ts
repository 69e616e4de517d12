import type { Writable } from 'node:stream'
import { ExitCode } from './exit-code.js'

/** Writes a whole text; resolves when it is written, or can't be. */
export async function say(stream: Writable, text: string): Promise<number> {
  const ignore = (): void => {}
  stream.on('error', ignore)
  await new Promise((resolve) => stream.write(text, resolve))
  // Not at once: the event comes after the callback.
  setImmediate(() => stream.off('error', ignore)).unref()
  return ExitCode.ok
}
