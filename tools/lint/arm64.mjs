// Whether a compiler for arm64 takes the sources that speak to the kernel: the calls, structures and constants that
// they name are there, and what holds on x86-64 alone is guarded. Nothing is linked or run. The commands are those of
// the build, as ninja has them; libraries' headers are this machine's, the C library's and the kernel's are arm64's.
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { capture, findCommand } from '../bootstrap/lib/exec.mjs'

const PREFIX = 'aarch64-linux-gnu-'
const PACKAGES = ['native', 'bpf']

/**
 * What differs from one architecture to another is a number of a call, a structure or a flag of the kernel's, or said so.
 * What the C library stands between, and portable C++, isn't compiled twice.
 */
const SPEAKS =
  /\bSYS_|\b__NR_|#include <(?:linux|asm)\/|#include <sys\/(?:syscall|stat|statfs|ptrace|user|uio)\.h>|#include <(?:seccomp|ucontext)\.h>|\b__?asm\b|__x86_64__/

/** A build command as its words. CMake quotes at most with double quotes and backslashes. */
export function words(command) {
  return [...command.matchAll(/(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+/g)].map(([word]) =>
    word.replace(/\\(.)|"/g, (_, escaped) => escaped ?? ''),
  )
}

/** The same compilation for arm64, looked at only: nothing is written. Undefined for what is no compilation. */
export function crossed(command, hostHeaders) {
  const all = words(command)
  // What CMake runs by itself begins with its folder: cd … && clang …
  const [compiler, ...args] = all.slice(all.lastIndexOf('&&') + 1)
  if (!args.includes('-c')) return undefined
  const bpf = args.includes('bpf')
  const kept = []
  for (let i = 0; i < args.length; i++) {
    if (['-o', '-MF', '-MT'].includes(args[i])) i++
    // Optimization is none of this check's business, and _FORTIFY_SOURCE warns without it.
    else if (!/^(?:-c|-MD|-O\w|-fcf-protection|-[UD]_FORTIFY_SOURCE\S*)$/.test(args[i]))
      kept.push(args[i].replace('-D__TARGET_ARCH_x86', '-D__TARGET_ARCH_arm64'))
  }
  if (bpf) return { tool: compiler, args: ['-fsyntax-only', ...kept] }
  const tool = `${PREFIX}${/(?:\+\+|pp)(?:-\d+)?$/.test(compiler) ? 'g++' : 'gcc'}`
  return { tool, args: ['-fsyntax-only', ...hostHeaders.flatMap((folder) => ['-idirafter', folder]), ...kept] }
}

/** The build's compilations of sources that speak to the kernel, each source once. */
function compilations(root, name) {
  const build = path.join(root, 'packages', name, 'build')
  const text = capture('ninja', ['-C', build, '-t', 'compdb'])
  if (text === undefined) return undefined
  const multiarch = capture('gcc', ['-print-multiarch'])?.trim()
  const hostHeaders = ['/usr/include', ...(multiarch ? [`/usr/include/${multiarch}`] : [])]
  const chosen = new Map()
  // ninja itself prints which folder it enters.
  for (const { file, command } of JSON.parse(text.slice(text.indexOf('[')))) {
    if (chosen.has(file) || !/\.(?:cc|c)$/.test(file) || !fs.existsSync(file)) continue
    const cross = crossed(command, hostHeaders)
    if (cross && (file.endsWith('.bpf.c') || SPEAKS.test(fs.readFileSync(file, 'utf8'))))
      chosen.set(file, { file: path.relative(root, file), cwd: build, ...cross })
  }
  return [...chosen.values()]
}

const execute = promisify(execFile)

async function complaint({ file, cwd, tool, args }) {
  try {
    await execute(tool, args, { cwd, maxBuffer: 16 << 20 })
    return undefined
  } catch (error) {
    const line = (error.stderr ?? '').split('\n').find((text) => /\berror\b/.test(text))
    return `${file}: not for arm64: ${line ?? error.message}`
  }
}

/** Problems as lines, or { skipped } where there is no such compiler, or nothing built to ask for the commands. */
export async function checkArm64(root, packages = PACKAGES) {
  if (!findCommand(`${PREFIX}g++`)) return { skipped: `${PREFIX}g++ is not installed (g++-aarch64-linux-gnu)` }
  const lists = packages.map((name) => compilations(root, name))
  if (lists.includes(undefined)) return { skipped: 'the native parts are not built: npm run set-up does it' }
  const jobs = lists.flat()
  const problems = []
  const worker = async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) {
      const problem = await complaint(job)
      if (problem) problems.push(problem)
    }
  }
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker))
  return problems.sort()
}
