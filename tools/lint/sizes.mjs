import fs from 'node:fs'
import path from 'node:path'

/** Most files are under 150 lines; one past this is two files that have not been told apart yet. */
const MOST_LINES = 400
const SOURCE = /\.(?:[cm]?[jt]s|cc|h|c|py)$/

export function checkSizes(root, files) {
  return files
    .filter((file) => SOURCE.test(file))
    .map((file) => [file, fs.readFileSync(path.join(root, file), 'utf8').split('\n').length - 1])
    .filter(([, lines]) => lines > MOST_LINES)
    .map(([file, lines]) => `${file}: ${lines} lines, ${MOST_LINES} at most`)
}
