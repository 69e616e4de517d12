import fs from 'node:fs'
import { capture, findCommand } from './exec.mjs'
import { SetupFailure } from './failure.mjs'

const NODE_MINIMUM = [20, 19]
const ARCHITECTURES = ['x64', 'arm64']

export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number)
  if (major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1])) return
  throw new SetupFailure('NODE', `Node.js ${NODE_MINIMUM.join('.')} or newer is needed, this is ${version}`)
}

export function checkPlatform(platform = process.platform, arch = process.arch) {
  if (platform !== 'linux') throw new SetupFailure('PLATFORM', `PyIsolate runs on Linux, this is ${platform}`)
  if (!ARCHITECTURES.includes(arch)) {
    throw new SetupFailure('PLATFORM', `PyIsolate runs on ${ARCHITECTURES.join(' and ')}, this is ${arch}`)
  }
}

/** os-release as an object; empty where there is none. */
export function osRelease(file = '/etc/os-release') {
  let text = ''
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch {
    return {}
  }
  const pairs = text.split('\n').map((line) => /^(\w+)="?([^"]*)"?$/.exec(line))
  return Object.fromEntries(pairs.filter(Boolean).map(([, key, value]) => [key, value]))
}

/** The compilers a profile names must answer; their version is part of every cache key. */
export function checkCompilers(profile, env = process.env) {
  for (const command of [profile.cc, profile.cxx]) {
    if (!findCommand(command, env)) {
      throw new SetupFailure('COMPILER', `no compiler: ${command} is not in PATH`)
    }
  }
  const version = capture(profile.cc, ['--version'], { env })
  if (!version) throw new SetupFailure('COMPILER', `the compiler ${profile.cc} does not run`)
  return version.split('\n')[0]
}
