/** Rights on files and folders as landlock(7) names them, with the first ABI that has each. */
export const fileAccess = {
  execute: 1,
  write_file: 1,
  read_file: 1,
  read_dir: 1,
  remove_dir: 1,
  remove_file: 1,
  make_char: 1,
  make_dir: 1,
  make_reg: 1,
  make_sock: 1,
  make_fifo: 1,
  make_block: 1,
  make_sym: 1,
  refer: 2,
  truncate: 3,
  ioctl_dev: 5,
} as const

export const netAccess = { bind_tcp: 4, connect_tcp: 4 } as const

export const scopes = { abstract_unix_socket: 6, signal: 6 } as const

export type FileAccess = keyof typeof fileAccess
export type NetAccess = keyof typeof netAccess

export const readAccess: readonly FileAccess[] = ['read_file', 'read_dir']
/** Of a folder and all below it. No devices, pipes and sockets: making those is not what writing a file is. */
export const changeAccess: readonly FileAccess[] = [
  'write_file',
  'truncate',
  'remove_dir',
  'remove_file',
  'make_dir',
  'make_reg',
  'make_sym',
  'refer',
]
/** Of a file: it can be written, but made and removed only by a right on its folder. */
export const writeAccess: readonly FileAccess[] = ['write_file', 'truncate']
/** The kernel opens what it executes for reading, too (fs/exec.c). */
export const execAccess: readonly FileAccess[] = ['execute', 'read_file']

/** What Landlock has no say on, whatever the rules are; some of it only before an ABI. */
export const gaps: readonly { readonly what: string; readonly ruledFrom: number | undefined }[] = [
  { what: 'names, sizes, times and modes of files: stat, access, readlink, chdir', ruledFrom: undefined },
  { what: 'modes, owners, times and extended attributes that are changed', ruledFrom: undefined },
  { what: 'truncation by truncate, or by O_TRUNC', ruledFrom: fileAccess.truncate },
  { what: 'TCP, all of it', ruledFrom: netAccess.connect_tcp },
  { what: 'connections by TCP Fast Open, MPTCP, UDP, raw and other sockets', ruledFrom: undefined },
  { what: 'sockets with a path', ruledFrom: undefined },
  { what: 'abstract sockets, and signals, of other processes', ruledFrom: scopes.signal },
  { what: 'ioctl on devices', ruledFrom: fileAccess.ioctl_dev },
]
