import type { Feature } from '@pyisolate/test-kit'
import type { Evidence } from './support/host.js'

export interface Attack {
  /** `attacks/<file>.py`. */
  readonly file: string
  readonly title: string
  /** How it is told off in a sandbox: errors by type and errno. */
  readonly denied: RegExp
  /** How its sandbox may die of it instead. */
  readonly dies?: RegExp
  /** What the host sees of it where it succeeds. Then this decides, not the attack's own word. */
  readonly leaves?: (evidence: Evidence) => boolean
  /** The same, where the host is the interpreter that runs it. */
  readonly touches?: true
  /** It ends the interpreter that runs it. */
  readonly replaces?: true
  /** What a host must have for it to succeed there. */
  readonly needs?: Feature
}

const no = /^(PermissionError|FileNotFoundError|OSError E(PERM|ACCES|NOSYS|ROFS|NOENT)|ProcessLookupError)/
const shell = (evidence: Evidence): boolean => evidence.marker
const arrived = (evidence: Evidence): boolean => evidence.received.length > 0
const crashed = /^(signal|cell): .*SIG(SEGV|BUS|SYS|ILL)/

export const attacks: readonly Attack[] = [
  // The object graph: the language is no boundary, so what it leads to must be.
  { file: 'subclasses-to-system', title: 'os.system by the object graph', denied: /Failed/, leaves: shell },
  { file: 'subclasses-to-file', title: 'open by the object graph', denied: no },
  { file: 'frames-and-heap', title: 'frames and the heap', denied: /Failed/ },
  { file: 'environment', title: "the host's environment", denied: /Failed/ },
  { file: 'host-name', title: "the host's name", denied: no, needs: 'user-namespaces' },
  // Memory.
  { file: 'ctypes-read', title: 'reading by address', denied: /Failed/, dies: crashed },
  { file: 'ctypes-write', title: 'writing by address', denied: /./, dies: crashed, touches: true },
  { file: 'proc-self-mem', title: '/proc/self/mem', denied: no, touches: true },
  {
    file: 'code-replace',
    title: 'out-of-bounds loads, forged bytearrays',
    denied: /Failed/,
    dies: crashed,
    touches: true,
  },
  { file: 'scan-own-memory', title: "remains of others in one's own memory", denied: /Failed/ },
  // System calls and machine code.
  { file: 'int80', title: '32-bit calls', denied: no, dies: crashed, needs: 'ia32' },
  { file: 'int80-borrowed', title: '32-bit calls by code in a file', denied: no, dies: crashed, needs: 'ia32' },
  { file: 'x32-call', title: 'x32 calls', denied: no, dies: crashed, needs: 'x32' },
  { file: 'wx-memory', title: 'memory writable and executable', denied: no },
  { file: 'new-code', title: 'memory that turns executable', denied: no },
  { file: 'new-code-file', title: 'the same through a file in memory', denied: no },
  { file: 'library-file', title: "a library of one's own", denied: no },
  { file: 'io-uring', title: 'io_uring', denied: no, needs: 'io-uring' },
  // Other processes.
  { file: 'process-vm-readv', title: 'process_vm_readv', denied: no, needs: 'unfiltered' },
  {
    file: 'process-vm-writev',
    title: 'process_vm_writev',
    denied: no,
    leaves: (evidence) => evidence.touched,
    needs: 'unfiltered',
  },
  { file: 'ptrace', title: 'ptrace', denied: no, needs: 'unfiltered' },
  { file: 'pidfd-getfd', title: 'pidfd_getfd', denied: no, needs: 'unfiltered' },
  { file: 'proc-victim', title: '/proc of others', denied: no },
  { file: 'kill-victim', title: 'signals', denied: no, leaves: (evidence) => evidence.signals > 0 },
  {
    file: 'kill-group',
    title: 'signals to the group, the parent, the supervisor',
    denied: /OSError|PermissionError|ProcessLookupError|Failed/,
    leaves: (evidence) => evidence.signals > 0,
  },
  { file: 'victim-limits', title: 'the limits of others', denied: no, leaves: (evidence) => evidence.limited },
  { file: 'fork', title: 'fork', denied: no },
  { file: 'execute', title: 'subprocess', denied: no, leaves: shell },
  { file: 'posix-spawn', title: 'posix_spawn', denied: /PermissionError|FileNotFound|Failed/, leaves: shell },
  { file: 'execute-in-place', title: 'execve', denied: no, leaves: shell, replaces: true },
  { file: 'ctypes-system', title: "the C library's system()", denied: /Failed/, leaves: shell },
  {
    file: 'multiprocessing',
    title: 'multiprocessing',
    denied: /PermissionError|FileNotFoundError|OSError|ImportError/,
  },
  { file: 'setrlimit', title: 'limits raised', denied: no },
  { file: 'queues', title: 'System V shared memory', denied: no },
  { file: 'shared-memory', title: 'POSIX shared memory', denied: /PermissionError|FileNotFound|OSError|ImportError/ },
  // Sockets.
  { file: 'abstract-socket', title: 'abstract Unix sockets', denied: no, leaves: arrived },
  {
    file: 'abstract-datagram',
    title: 'abstract Unix sockets by one of a pair',
    denied: /PermissionError|ConnectionRefused|OSError/,
    leaves: arrived,
  },
  { file: 'path-socket', title: 'Unix sockets in a granted folder', denied: no, leaves: arrived },
  { file: 'path-datagram', title: 'the same by one of a pair', denied: no, leaves: arrived },
  { file: 'tcp', title: 'TCP to the host', denied: no, leaves: arrived },
  { file: 'udp', title: 'UDP to the host', denied: no, leaves: arrived },
  { file: 'netlink', title: 'netlink', denied: no },
  { file: 'descriptors', title: 'guessed descriptors', denied: /Failed/ },
  // Files.
  { file: 'read-file', title: 'reading a file', denied: no },
  { file: 'read-elsewhere', title: 'walking up', denied: no },
  { file: 'system-files', title: "the system's files", denied: no },
  { file: 'write-file', title: 'writing a file', denied: no, leaves: shell },
  { file: 'write-anywhere', title: 'a file anywhere', denied: no },
  { file: 'poison-library', title: 'writing the standard library', denied: no },
  { file: 'poison-attributes', title: "the standard library's attributes", denied: no },
  { file: 'lock-file', title: 'a lock on a file that may be read', denied: no },
  { file: 'chroot', title: 'chroot', denied: no, needs: 'root' },
  { file: 'new-namespaces', title: 'new namespaces', denied: no, needs: 'user-namespaces' },
  { file: 'join-namespaces', title: "the host's namespaces", denied: no, needs: 'all-capabilities' },
  { file: 'device-node', title: 'a device', denied: no, needs: 'root' },
]
