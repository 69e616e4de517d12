import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initScript, type LabCommand } from './init-script.js'
import { initramfs } from './initramfs.js'
import { KernelLabError } from './kernel-lab-error.js'
import { kernelFiles, type LabKernel } from './kernels.js'
import { type InitProgram, startMachine } from './machine.js'

export interface LabRun extends LabCommand {
  readonly kernel: LabKernel
  /** Milliseconds from power on, then the machine is killed and the run has failed. Default 120 s. */
  readonly timeout?: number
  /** MiB. Default 1024. */
  readonly memory?: number
}

export interface LabResult {
  /** What the command exited with; 128 and a signal's number as a shell has it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What the kernel printed. */
  readonly console: string
  readonly ms: number
}

/**
 * Boots a kernel in a virtual machine whose root is this machine's (virtiofs, writable), and runs a command there.
 * A run that ends without a result has failed. @throws KernelLabError
 */
export async function runInKernel(run: LabRun): Promise<LabResult> {
  const started = performance.now()
  const kernel = kernelFiles(run.kernel)
  const folder = mkdtempSync(join(tmpdir(), 'pyisolate-lab-'))
  try {
    const script = join(folder, 'init.sh')
    writeFileSync(script, initScript(run, folder))
    chmodSync(script, 0o700)
    const archive = await initramfs(kernel)
    const init: InitProgram = archive === undefined ? { script } : { script, archive }
    const timeout = run.timeout ?? 120_000
    let ended = false
    let console = ''
    // QEMU's emulation of two processors breaks now and then while a kernel boots: nothing has been run by then.
    for (let attempt = 0; attempt < 3 && !existsSync(join(folder, 'started')); attempt++) {
      rmSync(join(folder, 'virtiofs.sock'), { force: true })
      const machine = await startMachine({ kernel, init, folder, memory: run.memory ?? 1024 })
      ended = await machine.ended(timeout)
      console = machine.console()
    }
    if (!ended) throw new KernelLabError('timeout', `no end after ${timeout} ms on kernel ${run.kernel}`, console)
    if (!existsSync(join(folder, 'code')))
      throw new KernelLabError('no-result', `kernel ${run.kernel} stopped without a result`, console)
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const code = Number(read('code'))
    return { code, stdout: read('stdout'), stderr: read('stderr'), console, ms: performance.now() - started }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
