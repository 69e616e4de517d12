import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

export function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pyisolate-bootstrap-'))
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An executable shell script: stands in for a tool whose failure can't be had at will. */
export function script(folder, name, body) {
  const file = path.join(folder, name)
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  return file
}

/** A PATH with the stand-ins in front of the real tools. */
export function pathWith(folder) {
  return { ...process.env, PATH: `${folder}:${process.env.PATH}` }
}

/** The failure's code and message, or what came instead. */
export async function failureOf(body) {
  try {
    return { returned: await body() }
  } catch (error) {
    return { code: error.code, message: error.message, line: error.line, log: error.log }
  }
}
