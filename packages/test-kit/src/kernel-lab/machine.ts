import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { until } from '../internal/until.js'
import { KernelLabError } from './kernel-lab-error.js'
import type { KernelFiles } from './kernels.js'

export interface InitProgram {
  /** Of the shared root, to be its first process. */
  readonly script: string
  /** An initial archive that mounts that root, where the kernel can't. */
  readonly archive?: string
}

export interface Machine {
  /** Whether it went off by itself within so many milliseconds; else it is killed. */
  ended(timeout: number): Promise<boolean>
  console(): string
}

const qemu = '/usr/bin/qemu-system-x86_64'
/** Of QEMU's own package in Debian 12, of one of its own later. */
const virtiofsds = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd']

/** Software emulation: hardware's isn't to be had in most machines that run tests. @throws KernelLabError `absent` */
export async function startMachine(options: {
  kernel: KernelFiles
  init: InitProgram
  folder: string
  /** MiB */
  memory: number
}): Promise<Machine> {
  const { kernel, init, folder, memory } = options
  const socket = join(folder, 'virtiofs.sock')
  const program = requireProgram([qemu], 'qemu-system-x86')
  const sharing = startSharing(socket)
  // QEMU asks once, and leaves when nobody answers.
  await until(() => existsSync(socket), 10_000, 'virtiofsd to listen').catch((error: unknown) => {
    sharing.kill('SIGKILL')
    throw error
  })
  const boot = init.archive === undefined ? `root=rootfs rootfstype=virtiofs rw init=${init.script}` : ''
  const rest = init.archive === undefined ? '' : ` -- ${init.script}`
  const machine = startProgram(program, [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', `${memory}`],
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot', '-nic', 'none', '-no-user-config'],
    // Shared memory, so that virtiofsd reads and writes the machine's pages.
    ...['-object', `memory-backend-memfd,id=memory,size=${memory}M,share=on`, '-numa', 'node,memdev=memory'],
    ...['-chardev', `socket,id=files,path=${socket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=files,tag=rootfs', '-kernel', kernel.image],
    ...(init.archive === undefined ? [] : ['-initrd', init.archive]),
    ...['-append', `console=ttyS0 quiet panic=-1 lsm=landlock,yama,bpf ${boot}${rest}`],
  ])
  const children = [sharing, machine]
  let text = ''
  for (const child of children)
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
  const over = new Promise<boolean>((resolve) => machine.once('close', () => resolve(true)))
  return {
    console: () => text,
    async ended(timeout) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), timeout)
      })
      const ended = await Promise.race([over, late])
      clearTimeout(timer)
      for (const child of children) child.kill('SIGKILL')
      await over
      return ended
    },
  }
}

function startSharing(socket: string): ChildProcess {
  const program = requireProgram(virtiofsds, 'virtiofsd')
  const rust = program.includes('libexec')
  const options = rust
    ? ['--shared-dir=/', '--cache=auto', '--sandbox=chroot']
    : ['-o', 'source=/,cache=auto,sandbox=chroot', '-f']
  return startProgram(program, [`--socket-path=${socket}`, ...options])
}

/** Killed with whoever started it: a test's crash leaves no machine behind. */
function startProgram(program: string, args: readonly string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

function requireProgram(places: readonly string[], name: string): string {
  const found = places.find((place) => existsSync(place))
  if (found === undefined)
    throw new KernelLabError(
      'absent',
      `${name} is not installed (${places.join(' or ')}): npm test installs it as root`,
    )
  return found
}
