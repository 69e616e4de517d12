// Ways around a policy by what the kernel offers beside the plain call: other names, other protocols, other sockets.
import { existsSync, readFileSync } from 'node:fs'

export interface Attack {
  readonly name: string
  /** Of the policy, beside what is readable and writable below the folder but for `secret`. */
  readonly rules?: string
  /** Python that leaves in `won` whether it got what it must not have. `port`: of a listener that is not allowed. */
  readonly code: (at: string, port: number) => string
  /** Where it has nothing to try. */
  readonly only?: 'process'
}

const loot = "b'loot'"

/** Whether this process has a capability (capabilities(7), by number): what takes one can be tried only then. */
function capable(number: number): boolean {
  const effective = /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> BigInt(number)) & 1n) === 1n
}
const netRaw = 13
const sysAdmin = 21
const multipath = existsSync('/proc/sys/net/mptcp/enabled')

const when = (possible: boolean, ...attacks: readonly Attack[]): readonly Attack[] => (possible ? attacks : [])

export const kernelAttacks: readonly Attack[] = [
  {
    name: 'opening a descriptor once more, with more rights: /proc/self/fd',
    code: (at) => `
fd = os.open('${at}/readonly', os.O_RDONLY)
won = open(f'/proc/self/fd/{fd}', 'w').write('changed') == 7`,
  },
  {
    name: 'a descriptor that only names a file: O_PATH',
    code: (at) => `
fd = os.open('${at}/secret', os.O_PATH)
won = os.read(os.open('x', os.O_RDONLY, dir_fd=fd), 9) == ${loot}`,
  },
  {
    name: 'a folder that is exchanged for a link while it is walked through',
    code: (at) => `
os.makedirs('${at}/a/d'); open('${at}/a/d/x', 'w').write('fine'); os.symlink('${at}/secret', '${at}/a/l')
stop = False
def swap():
    while not stop:
        system_call(316, -100, b'${at}/a/d', -100, b'${at}/a/l', 2)
        # Where that isn't allowed, the long way round.
        try: os.rename('${at}/a/d', '${at}/a/e'); os.rename('${at}/a/l', '${at}/a/d'); os.rename('${at}/a/e', '${at}/a/l')
        except OSError: pass
thread = threading.Thread(target=swap); thread.start()
won = False
end = time.monotonic() + budget
while not won and time.monotonic() < end:
    try: won = won or open('${at}/a/d/x', 'rb').read() == ${loot}
    except OSError: pass
stop = True; thread.join()`,
  },
  ...when(capable(sysAdmin), {
    name: 'mounting what is denied where it may be read',
    code: (at) => `
won = libc.mount(b'${at}/secret', b'${at}/a', None, 4096, None) == 0 and open('${at}/a/x', 'rb').read() == ${loot}
libc.umount2(b'${at}/a', 2)`,
  }),
  {
    name: 'datagrams where streams may go',
    code: (_, port) => `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'x', ('127.0.0.1', ${port})); won = s.recv(5) == b'hello'`,
  },
  {
    name: 'a datagram’s address that another thread rewrites while it is judged',
    rules: `net:\n  sendto: ['udp://127.0.0.1:9']`,
    code: (_, port) => `
def address(port):
    return struct.pack('=HH4s8x', 2, socket.htons(port), socket.inet_aton('127.0.0.1'))
buffer = ctypes.create_string_buffer(address(9), 16)
good, bad = address(9), address(${port})
stop = False
def rewrite():
    while not stop:
        ctypes.memmove(buffer, bad, 16); ctypes.memmove(buffer, good, 16)
thread = threading.Thread(target=rewrite); thread.start()
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setblocking(False)
won = False
end = time.monotonic() + budget
while not won and time.monotonic() < end:
    libc.sendto(s.fileno(), b'x', 1, 0, buffer, 16)
    try: won = won or s.recv(5) == b'hello'
    except OSError: pass
stop = True; thread.join()`,
  },
  ...when(multipath, {
    name: 'Multipath TCP',
    code: (_, port) => `
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.connect(('127.0.0.1', ${port})); won = s.recv(5) == b'hello'`,
  }),
  ...when(
    capable(netRaw),
    {
      name: 'a raw socket, and a packet of its own making',
      code: () => `
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
won = s.sendto(bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0]), ('127.0.0.1', 0)) == 8`,
    },
    {
      name: 'reading along: a packet socket',
      code: () => `s = socket.socket(17, socket.SOCK_RAW, socket.htons(3)); won = s.fileno() >= 0`,
    },
  ),
  {
    name: 'a socket by its abstract name',
    code: (_, port) => `
s = socket.socket(socket.AF_UNIX); s.connect('\\0pyisolate-attack-${process.pid}-${port}'); won = True`,
  },
  {
    name: 'a socket by a link to its path',
    rules: `net:\n  connect: ['unix:///nowhere']`,
    code: (at) => `
os.symlink('${at}/secret/socket', '${at}/link')
s = socket.socket(socket.AF_UNIX); s.connect('${at}/link'); won = s.recv(5) == b'hello'`,
  },
  {
    name: 'a datagram to a socket by its path, unconnected',
    rules: `net:\n  connect: ['unix:///nowhere']`,
    code: (at) => `
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); won = s.sendto(b'x', '${at}/secret/datagrams') == 1`,
  },
]
