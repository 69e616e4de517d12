import { capture, findCommand, run } from './exec.mjs'
import { SetupFailure } from './failure.mjs'
import { osRelease } from './platform.mjs'

/** What builds CPython and the native parts; alternatives are written "a|b", the first is installed. */
const COMMON = [
  'make',
  'cmake',
  'ninja-build',
  'dpkg-dev',
  'xz-utils',
  'pkg-config|pkgconf',
  'libseccomp-dev',
  'liburing-dev',
  'libffi-dev',
  'libssl-dev',
  'zlib1g-dev',
  'libbz2-dev',
  'liblzma-dev',
  'libsqlite3-dev',
  // The BPF programs and their loader.
  'clang-19|clang-18|clang-17',
  'libbpf-dev',
]

/** What the tests alone need: a disassembler for the BPF programs, */
const TESTS = ['llvm-19|llvm-18|llvm-17']
/** and where there can be a kernel lab, its machine, the kernel's own loader of BPF programs, what ups the loopback. */
const LAB = ['qemu-system-x86', 'bpftool', 'iproute2']

/** What shares the lab's root came with QEMU up to Debian 12; since then it is a package of its own. */
function labPackages({ VERSION_ID: version } = osRelease()) {
  return Number.parseInt(version, 10) <= 12 ? LAB : [...LAB, 'virtiofsd']
}

export function requiredPackages(profile, { tests = false, lab = false, release } = {}) {
  return [...profile.packages, ...COMMON, ...(tests ? TESTS : []), ...(lab ? labPackages(release) : [])]
}

/** The entries of the list of which dpkg reports no alternative as installed. */
export function missingPackages(wanted, query = dpkgQuery) {
  const installed = query(wanted.flatMap((entry) => entry.split('|')))
  return wanted.filter((entry) => !entry.split('|').some((name) => installed.has(name)))
}

const first = (entry) => entry.split('|')[0]

function dpkgQuery(names) {
  // Fails as a whole when one name is unknown, but still lists the others: so the status is not looked at.
  const text = capture('sh', [
    '-c',
    'dpkg-query -W -f \'${Package} ${db:Status-Status}\\n\' "$@" 2>/dev/null; true',
    'sh',
    ...names,
  ])
  const rows = (text ?? '').split('\n').map((line) => line.split(' '))
  return new Set(rows.filter(([, status]) => status === 'installed').map(([name]) => name))
}

/** How this user may run apt: directly, through sudo without a password, or not at all. */
function privilege(env) {
  if (process.getuid?.() === 0) return []
  if (findCommand('sudo', env) && capture('sudo', ['-n', 'true'], { env }) !== undefined) return ['sudo', '-n']
  return undefined
}

export async function installPackages(profile, options) {
  const { log, report, env = process.env, query, privileges = privilege, tests, lab } = options
  if (!findCommand('dpkg-query', env) || !findCommand('apt-get', env)) {
    if (env.PYISOLATE_PYTHON) return 'not a Debian system: taking the tools that are in PATH'
    throw new SetupFailure(
      'PLATFORM',
      'set-up needs apt (Debian 12 or newer, Ubuntu 24.04 or newer); elsewhere PYISOLATE_PYTHON names an interpreter and the compilers must be in PATH',
    )
  }
  const missing = missingPackages(requiredPackages(profile, { tests, lab }), query)
  if (missing.length === 0) return undefined
  const prefix = privileges(env)
  if (!prefix) {
    const [how, sudo] = findCommand('sudo', env) ? ['run', 'sudo '] : ['run as root', '']
    const install = `apt-get install -y --no-install-recommends ${missing.map(first).join(' ')}`
    const command = `${how}: ${sudo}apt-get update && ${sudo}${install}`
    throw new SetupFailure('PACKAGES', `system packages are missing and this user can't install them; ${command}`)
  }
  await apt(prefix, ['update', '-o', 'APT::Update::Error-Mode=any'], { log, report, env })
  const chosen = chooseCandidates(missing, env)
  await apt(prefix, ['install', '-y', '--no-install-recommends', ...chosen], { log, report, env })
  return `installed ${chosen.join(' ')}`
}

/**
 * Of each entry the first alternative that this release has. An older one has no clang-19, say: better said by name
 * than as an apt error.
 */
function chooseCandidates(missing, env) {
  const names = missing.flatMap((entry) => entry.split('|'))
  const policy = capture('apt-cache', ['policy', ...names], { env: { ...env, LC_ALL: 'C' } }) ?? ''
  const known = new Set()
  let current = ''
  for (const line of policy.split('\n')) {
    const head = /^(\S+):$/.exec(line)
    if (head) current = head[1]
    if (/^\s+Candidate: (?!\(none\))/.test(line)) known.add(current)
  }
  const choice = missing.map((entry) => entry.split('|').find((name) => known.has(name)))
  const absent = missing.filter((_, i) => choice[i] === undefined).map(first)
  if (absent.length > 0) {
    throw new SetupFailure(
      'PACKAGES',
      `this distribution has no package ${absent.join(', ')}: use a newer release, or the standard profile`,
    )
  }
  return choice
}

async function apt(prefix, args, { log, report, env }) {
  const [command, ...rest] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'LC_ALL=C',
    'apt-get',
    '-o',
    'DPkg::Lock::Timeout=300',
    '-q',
    ...args,
  ]
  await run(command, rest, { log, env, onLine: report, failure: (tail) => aptFailure(args[0], tail, log) })
}

/** What apt says of an index or a package that isn't what was signed, or that nobody it knows has signed. */
const UNVERIFIED =
  /Hash Sum mismatch|File has unexpected size|is not signed|signatures? (?:were|was|couldn't|could not)|NO_PUBKEY|BADSIG|EXPKEYSIG|is not valid yet|is expired|isn't valid/
const UNREACHABLE =
  /Temporary failure resolving|Could not (?:resolve|connect)|Network is unreachable|Connection (?:failed|timed out|refused|reset)|No route to host/

/** The failure of `apt-get <action>`, by what it printed last. */
export function aptFailure(action, tail, log) {
  const last = tail.split('\n').findLast((line) => /^(?:E|Err):/.test(line))
  const said = last ? `: ${last.replace(/^\w+:/, '').trim().slice(0, 200)}` : ''
  const refused = UNVERIFIED.exec(tail)?.[0]
  if (refused) {
    return new SetupFailure(
      'UNVERIFIED',
      `apt-get ${action} refuses what the repository delivered (${refused}): a mirror that is being updated is fine in an hour, any other is not to be trusted`,
      { log },
    )
  }
  const status = /Failed to fetch \S+\s+([45]\d\d)\s+([\w ]*\w)/.exec(tail)
  if (status) {
    return new SetupFailure(
      status[1] === '404' ? 'GONE' : 'PACKAGES',
      `apt-get ${action} was answered ${status[1]} ${status[2]}: are apt's sources right, and its lists new (apt-get update)?`,
      { log },
    )
  }
  if (UNREACHABLE.test(tail) || /Failed to fetch/.test(tail)) {
    return new SetupFailure(
      'NETWORK',
      `apt-get ${action} can't reach the distribution's repository: is the network up?`,
      { log },
    )
  }
  return new SetupFailure('PACKAGES', `apt-get ${action} failed${said}`, { log })
}
