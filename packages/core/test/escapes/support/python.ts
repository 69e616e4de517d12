import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const native = dirname(createRequire(import.meta.url).resolve('@pyisolate/native/package.json'))
const output = join(native, 'build', 'Release')

/** The same code without confinement: what an attack is tried on first. */
export const unconfinedEngine = join(output, 'pyisolate-engine-unconfined')

const { prefix, stdlib } = JSON.parse(
  readFileSync(process.env.PYISOLATE_PYTHON_HOME || join(output, 'python-home.json'), 'utf8'),
) as { prefix: string; stdlib: string }

export const standardLibrary = stdlib

/** The interpreter that the engine was built from, unconfined. */
export const plainPython: string = (() => {
  const interpreter = join(prefix, 'bin', 'python3.13t')
  if (!existsSync(interpreter)) throw new Error(`${interpreter} is missing: escapes are tried in it first`)
  return interpreter
})()

function numbersIn(header: string, prefix: RegExp): Record<string, number> {
  let text: string
  try {
    text = execFileSync(process.env.CC || 'cc', ['-E', '-dM', '-include', header, '-x', 'c', '/dev/null'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return {} // another architecture: attacks by these calls say so
  }
  const found: Record<string, number> = {}
  for (const [, name, value] of text.matchAll(/^#define (\w+) (\w+)$/gm)) {
    const short = name!.replace(prefix, '')
    if (short !== name && /^\d/.test(value!)) found[short] = Number(value)
  }
  return found
}

/** System calls of this machine by name, as its headers number them. */
export const syscalls = numbersIn('sys/syscall.h', /^__NR_/)
/** The same of the 32-bit calls that an x86-64 kernel also takes. */
export const syscalls32 = process.arch === 'x64' ? numbersIn('asm/unistd_32.h', /^__NR_/) : {}
export const x32Bit = numbersIn('asm/unistd.h', /^__X32_SYSCALL_/).BIT ?? 0
