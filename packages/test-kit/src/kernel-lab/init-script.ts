export interface LabCommand {
  /** A program and its arguments, run as a child of init, as root. */
  readonly command: readonly string[]
  /** Default `/`. */
  readonly cwd?: string
  /** The whole environment beside PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>
}

/** The virtual machine's init: what it mounts, runs and leaves in `folder`, which is the host's. */
export function initScript({ command, cwd = '/', env = {} }: LabCommand, folder: string): string {
  const here = quote(folder)
  return `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
: >${here}/started
mount -t proc proc /proc
mount -t sysfs sys /sys
grep -q ' /dev ' /proc/mounts || mount -t devtmpfs dev /dev
mount -t securityfs security /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t tmpfs run /run
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
ip link set lo up
${Object.entries(env)
  .map(([name, value]) => `export ${name}=${quote(value)}\n`)
  .join('')}cd ${quote(cwd)}
${command.map(quote).join(' ')} </dev/null >${here}/stdout 2>${here}/stderr
echo $? >${here}/code.part
mv ${here}/code.part ${here}/code
echo o >/proc/sysrq-trigger
# Init must not end before the machine is off, or the kernel panics.
sleep 60
`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
