import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Place } from '@pyisolate/policy'

/** Columns of a line that are shown; what is left of it is cut. */
const widest = 100

/** The line that an error is about with a caret under its column, or nothing where there is no such file any more. */
export function sourceLine({ file, line, column }: Place): string {
  const text = textOf(file)?.split('\n')[line - 1]?.replace(/\r$/, '')
  if (text === undefined || column > text.length + 1) return ''
  const from = Math.max(0, column - 1 - (widest >> 1))
  const shown = printable(text.slice(from, from + widest))
  const before = printable(text.slice(from, column - 1)).replace(/[^\t]/g, ' ')
  const margin = ' '.repeat(String(line).length)
  return `  ${line} | ${shown}\n  ${margin} | ${before}^\n`
}

/** Files that were read have absolute names, templates and what wasn't found have none. */
function textOf(file: string): string | undefined {
  if (!isAbsolute(file)) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // gone since: the error is told without its line
  }
}

/** A policy may hold what would steer a terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\t]/gu, '?')
}
