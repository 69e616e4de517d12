import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { EngineMissingError } from '@pyisolate/interface'

import { loadAddon } from './internal/load-addon.js'
import { locateEngine, type PythonHome } from './internal/locate.js'

/** How one attempt ended; `error` is the name of an errno. */
export type Trial = { readonly ok: true } | { readonly ok: false; readonly step: string; readonly error: string }

/** What this host's kernel lets this process have: tried, each thing in a throw-away process, not read from a config. */
export interface KernelReport {
  /** `bpf`: enough capabilities to load every kind of program. */
  readonly rights: { readonly uid: number; readonly sysAdmin: boolean; readonly bpf: boolean }
  /** `abi` 0: no Landlock. */
  readonly landlock: { readonly abi: number; readonly denies: Trial }
  readonly seccomp: { readonly filter: Trial; readonly notification: Trial; readonly killableWait: Trial }
  readonly bpf: { readonly load: Trial; readonly cgroup: Trial; readonly lsm: Trial }
  readonly ioUring: Trial
  readonly namespaces: Readonly<Record<'user' | 'pid' | 'mount' | 'ipc' | 'net', Trial>>
  readonly pidfd: Trial
  readonly sealedMemory: Trial
}

/** How the engine's executable was built. */
export interface EngineBuild {
  readonly profile?: string
  readonly compiler: string
  readonly pie: boolean
  readonly relro: boolean
  readonly bindNow: boolean
  readonly executableStack: boolean
  readonly stackProtector: boolean
  readonly branchProtection: boolean
  /** The level of `_FORTIFY_SOURCE`. */
  readonly fortify: number
  /** An engine for tests: it confines nothing. */
  readonly unconfined?: boolean
}

export interface HostReport {
  readonly engine: { readonly path: string; readonly build: EngineBuild }
  /** `problem` when it can't be loaded. */
  readonly addon: {
    readonly path: string
    readonly napi?: number
    readonly protocol?: number
    readonly problem?: string
  }
  readonly python: PythonHome
  readonly kernel: KernelReport
}

const PATIENCE_MS = 60_000

/** Asks the engine's executable what this host can do. @throws EngineMissingError */
export async function probeHost(): Promise<HostReport> {
  const { addon, executable, home } = locateEngine({})
  let report: KernelReport & { readonly build: EngineBuild }
  try {
    const { stdout } = await promisify(execFile)(executable, ['probe'], { env: {}, timeout: PATIENCE_MS })
    report = JSON.parse(stdout)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.trim() : String(cause)
    throw new EngineMissingError(`the engine at ${executable} could not be asked what this host can do: ${why}`, {
      cause,
    })
  }
  const { build, ...kernel } = report
  return { engine: { path: executable, build }, addon: probeAddon(addon), python: home, kernel }
}

function probeAddon(path: string): HostReport['addon'] {
  try {
    return { path, ...loadAddon(path).versions }
  } catch (error) {
    return { path, problem: error instanceof Error ? error.message : String(error) }
  }
}
