import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'

/** What a test may need of the host, found out without the code under test. */
export type Feature =
  | 'root'
  | 'landlock'
  | 'seccomp'
  | 'user-namespaces'
  | 'cgroup-v2'
  | 'kvm'
  | 'unfiltered'
  | 'all-capabilities'
  | 'ia32'
  | 'x32'
  | 'io-uring'
  | 'system-call'
  | 'ml-kem'
  | 'secret-memory'
  | 'built-engine'
  | 'cpython-tests'
  | 'other-nodes'
  | `node-${number}`

export interface Presence {
  /** `undefined`: it can't be told from here, so the word of the code under test has to do. */
  readonly present: boolean | undefined
  readonly evidence: string
}

function kernelAtLeast(major: number, minor: number): boolean {
  const [hasMajor = 0, hasMinor = 0] = release().split('.').map(Number)
  return hasMajor > major || (hasMajor === major && hasMinor >= minor)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** linux/capability.h */
const CAP_SYS_ADMIN = 21n

function processStatus(field: string): string {
  return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(read('/proc/self/status'))?.[1] ?? ''
}

export function presenceOf(feature: Feature): Presence {
  switch (feature) {
    case 'root':
      return { present: process.getuid?.() === 0, evidence: `the effective user is ${process.geteuid?.()}` }
    case 'landlock': {
      const modules = read('/sys/kernel/security/lsm')
      if (modules === '')
        return {
          present: kernelAtLeast(5, 13) ? undefined : false,
          evidence: `kernel ${release()}, its list of LSMs can't be read`,
        }
      return { present: modules.split(',').includes('landlock'), evidence: `the kernel's LSMs are ${modules}` }
    }
    case 'seccomp': {
      const actions = read('/proc/sys/kernel/seccomp/actions_avail')
      return { present: actions.includes('kill_process'), evidence: `seccomp's actions are ${actions || 'none'}` }
    }
    case 'user-namespaces': {
      const most = read('/proc/sys/user/max_user_namespaces')
      const allowed = read('/proc/sys/kernel/unprivileged_userns_clone') !== '0'
      const restricted = read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1'
      return { present: Number(most) > 0 && allowed && !restricted, evidence: `max_user_namespaces is ${most}` }
    }
    case 'cgroup-v2': {
      const controllers = read('/sys/fs/cgroup/cgroup.controllers')
      return { present: controllers !== '', evidence: `/sys/fs/cgroup has the controllers ${controllers || 'none'}` }
    }
    case 'kvm':
      return {
        present: writable('/dev/kvm'),
        evidence: `/dev/kvm is ${existsSync('/dev/kvm') ? 'there' : 'not there'}`,
      }
    // In a container the tests themselves are confined: what fails unconfined there proves nothing.
    case 'unfiltered': {
      const mode = processStatus('Seccomp')
      return { present: mode === '0' ? true : undefined, evidence: `the tests' own seccomp mode is ${mode}` }
    }
    case 'all-capabilities': {
      const held = processStatus('CapEff')
      const administers = ((BigInt(`0x${held || 0}`) >> CAP_SYS_ADMIN) & 1n) === 1n
      return { present: administers && process.getuid?.() === 0, evidence: `the tests' capabilities are ${held}` }
    }
    case 'ia32':
    case 'x32':
      // A build option, and one at boot: only a call tells.
      return { present: process.arch === 'x64' ? undefined : false, evidence: `this is ${process.arch}` }
    case 'io-uring': {
      const off = read('/proc/sys/kernel/io_uring_disabled')
      return {
        present: off === '0' && processStatus('Seccomp') === '0',
        evidence: `io_uring_disabled is ${off || '?'}`,
      }
    }
    case 'system-call':
      return { present: undefined, evidence: `kernel ${release()} was built without it` }
    case 'secret-memory':
    case 'ml-kem':
      return { present: undefined, evidence: 'the libcrypto that was built with decides (OpenSSL 3.5)' }
    case 'built-engine':
      return { present: undefined, evidence: 'the build decides' }
    case 'cpython-tests':
      return { present: undefined, evidence: 'the interpreter decides' }
    case 'other-nodes':
      return { present: process.arch === 'x64', evidence: `this is ${process.arch}` }
    default: {
      const wanted = Number(feature.slice('node-'.length))
      const has = Number(process.versions.node.split('.')[0])
      return { present: has >= wanted, evidence: `this is Node ${process.versions.node}` }
    }
  }
}
