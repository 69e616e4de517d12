import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Of a document, in bytes. */
export const largestDocument = 2 ** 20

/** What was found at a path at one moment. */
export interface FileInput {
  readonly file: string
  /** Differs when the file was replaced or written to since; when there is none, says why. */
  readonly fingerprint: string
  /** When it changed last, by the kernel's clock, which no writer can set; milliseconds. */
  readonly changed: number
  /** Undefined when it can't be read. */
  readonly text: string | undefined
  readonly failure: InputFailure | undefined
}

export interface InputFailure {
  readonly kind: 'missing' | 'unreadable' | 'too-large' | 'not-text'
  readonly what: string
  readonly expected: string
  readonly cause?: unknown
}

/** A whole file, if it is a regular one of at most a mebibyte of UTF-8. Never waits, not for a FIFO's writer either. */
export function readInput(file: string): FileInput {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause)
    const kind = why === 'ENOENT' || why === 'ENOTDIR' ? 'missing' : 'unreadable'
    const failure: InputFailure = { kind, what: `can't be opened (${why})`, expected: 'a file that can', cause }
    return { file, fingerprint: why, changed: 0, text: undefined, failure }
  }
  try {
    const before = fstatSync(descriptor, { bigint: true })
    const { text, failure } = readOpen(descriptor, before)
    const after = fstatSync(descriptor, { bigint: true })
    const same = fingerprintOf(before) === fingerprintOf(after)
    // Written to while it was read: as young as can be.
    const changed = same ? Number(after.ctimeNs / 1000n) / 1000 : Date.now()
    return { file, fingerprint: fingerprintOf(after), changed, text, failure }
  } finally {
    closeSync(descriptor)
  }
}

function fingerprintOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

function readOpen(descriptor: number, stats: BigIntStats): Pick<FileInput, 'text' | 'failure'> {
  const fail = (kind: InputFailure['kind'], what: string, expected: string, cause?: unknown) => ({
    text: undefined,
    failure: { kind, what, expected, cause },
  })
  if (!stats.isFile()) return fail('unreadable', 'is no regular file', 'one')
  const bytes = Buffer.alloc(Number(stats.size > largestDocument ? 0 : stats.size) + 1)
  let length = 0
  try {
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
  } catch (cause) {
    return fail('unreadable', `can't be read (${(cause as NodeJS.ErrnoException).code})`, 'a file that can', cause)
  }
  if (stats.size > largestDocument)
    return fail('too-large', `the document has ${stats.size} bytes`, `at most ${largestDocument}`)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length))
    return { text, failure: undefined }
  } catch (cause) {
    return fail('not-text', 'the document is no UTF-8', 'text in UTF-8', cause)
  }
}
