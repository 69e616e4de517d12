import type { KernelReport, Trial } from '@pyisolate/native'
import type { Finding, Found, State } from './finding.js'
import type { HostFiles } from './host-files.js'
import { why } from './trial.js'

/** What each Landlock ABI added (Documentation/userspace-api/landlock.rst, "Previous limitations"), and its kernel. */
const landlockAbis: readonly (readonly [string, string])[] = [
  ['file access', '5.13'],
  ['links and renames across folders', '5.19'],
  ['truncation', '6.2'],
  ['TCP ports', '6.7'],
  ['device ioctls', '6.10'],
  ['scopes: abstract Unix sockets and signals', '6.12'],
  ['audit logging', '6.15'],
]

const worst = (trials: readonly Trial[]): State =>
  trials.every(({ ok }) => ok) ? 'ok' : trials.some(({ ok }) => ok) ? 'partly' : 'missing'

const oldKernel = 'a newer kernel; in a container, a runtime whose own filter lets the call pass'

export function kernelFindings(kernel: KernelReport, files: HostFiles): Finding[] {
  return [
    landlock(kernel),
    seccomp(kernel),
    notification(kernel),
    namespaces(kernel, files),
    processes(kernel),
    ioUring(kernel, files),
  ]
}

function landlock({ landlock: { abi, denies } }: KernelReport): Finding {
  const has = landlockAbis.slice(0, abi).map(([what]) => what)
  const next = landlockAbis[abi]
  const base = {
    id: 'landlock',
    title: 'Landlock',
    need: 'essential',
    gives: 'the file system is out of reach but for the standard library and what is granted',
  } as const
  if (abi === 0 || !denies.ok) {
    const found = abi === 0 ? 'the kernel has none, or it is not enabled' : why(denies)
    return {
      ...base,
      state: 'missing',
      found,
      remedy: 'kernel 5.13 or later, with landlock in its lsm= boot parameter',
    }
  }
  return {
    ...base,
    state: abi < 6 ? 'partly' : 'ok',
    found: `ABI ${abi}: ${abi > landlockAbis.length ? `${has.join(', ')} and more` : has.join(', ')}`,
    ...(next !== undefined && { remedy: `kernel ${next[1]} adds ${next[0]}` }),
  }
}

function seccomp({ seccomp: { filter } }: KernelReport): Finding {
  return {
    id: 'seccomp',
    title: 'seccomp filters',
    need: 'essential',
    state: filter.ok ? 'ok' : 'missing',
    found: why(filter),
    gives: 'an allow-list of system calls: no exec, no new processes, no ptrace, no new executable memory',
    ...(!filter.ok && { remedy: 'a kernel with CONFIG_SECCOMP_FILTER; in a container, a profile that allows seccomp' }),
  }
}

function notification({ seccomp: { notification, killableWait } }: KernelReport): Finding {
  return {
    id: 'seccomp-notify',
    title: 'seccomp notification',
    need: 'optional',
    state: notification.ok ? (killableWait.ok ? 'ok' : 'partly') : 'missing',
    found: notification.ok
      ? `a call is answered with a descriptor; killable wait: ${why(killableWait)}`
      : why(notification),
    gives: 'a broker can make calls for a sandbox, by a policy that may change while it runs',
    ...(!(notification.ok && killableWait.ok) && { remedy: 'kernel 5.14, or 5.19 for the killable wait' }),
  }
}

function namespaces({ namespaces }: KernelReport, files: HostFiles): Finding {
  const names = Object.entries(namespaces)
  const failed = names.filter(([, trial]) => !trial.ok)
  const state = worst(Object.values(namespaces))
  const clone = files.number('/proc/sys/kernel/unprivileged_userns_clone') === 0
  const apparmor = files.number('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1
  const most = files.number('/proc/sys/user/max_user_namespaces') === 0
  const remedy = apparmor
    ? 'sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with userns for this program'
    : clone
      ? 'sysctl kernel.unprivileged_userns_clone=1'
      : most
        ? 'sysctl user.max_user_namespaces=15000'
        : 'root, or a container runtime that allows user namespaces'
  return {
    id: 'namespaces',
    title: 'namespaces',
    need: 'recommended',
    state,
    found:
      failed.length === 0
        ? names.map(([name]) => name).join(', ')
        : failed.map(([name, trial]) => `${name}: ${why(trial)}`).join('; '),
    gives: "a sandbox sees no other process, no network, no mount and no IPC object of the host's",
    ...(state !== 'ok' && { remedy }),
  }
}

function processes({ pidfd, sealedMemory }: KernelReport): Finding {
  const state: State = pidfd.ok && sealedMemory.ok ? 'ok' : 'missing'
  return {
    id: 'processes',
    title: 'pidfd, sealed memory',
    need: 'essential',
    state,
    found: state === 'ok' ? 'clone3 with a pidfd, memfd seals' : `pidfd: ${why(pidfd)}; seals: ${why(sealedMemory)}`,
    gives: 'cells are signalled and reaped without mixing them up, over memory that nobody can shrink',
    ...(state !== 'ok' && { remedy: `kernel 5.4 or later: ${oldKernel}` }),
  }
}

function ioUring({ ioUring }: KernelReport, files: HostFiles): Finding {
  const disabled = files.number('/proc/sys/kernel/io_uring_disabled') ?? 0
  const found: Found = ioUring.ok
    ? { state: 'ok', found: `works${disabled > 0 ? ` with these rights (kernel.io_uring_disabled=${disabled})` : ''}` }
    : {
        state: 'missing',
        found: `${why(ioUring)}${disabled > 0 ? `, kernel.io_uring_disabled=${disabled}` : ''}`,
        remedy: disabled > 0 ? 'sysctl kernel.io_uring_disabled=0' : oldKernel,
      }
  return {
    id: 'io-uring',
    title: 'io_uring',
    need: 'optional',
    gives: "fast input and output on the supervisor's side; sandboxes never get it",
    ...found,
  }
}
