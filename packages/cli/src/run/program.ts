import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { UsageError } from '../errors/usage-error.js'

export interface Program {
  readonly code: string
  /** What tracebacks call it. */
  readonly filename: string
}

/** @throws UsageError */
export async function readProgram(file: string, stdin: Readable): Promise<Program> {
  const bytes = file === '-' ? await readAll(stdin) : await readNamed(file)
  const filename = file === '-' ? '<stdin>' : file
  try {
    // The decoder drops a byte order mark, as Python does.
    return { code: new TextDecoder('utf-8', { fatal: true }).decode(bytes), filename }
  } catch (cause) {
    throw new UsageError(`${filename} is not UTF-8`, { cause })
  }
}

async function readNamed(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`can't read the program: ${why}`, { cause })
  }
}

async function readAll(stdin: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`can't read the program from standard input: ${why}`, { cause })
  }
  return Buffer.concat(chunks)
}
