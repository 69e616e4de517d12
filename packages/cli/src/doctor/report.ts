import type { Engine } from '@pyisolate/interface'
import { createNativeEngine, probeHost } from '@pyisolate/native'
import { bpfFindings } from './bpf-findings.js'
import { cgroupFinding } from './cgroups.js'
import type { Finding } from './finding.js'
import { type HostFiles, hostFiles } from './host-files.js'
import { kernelFinding, numaFinding } from './host-findings.js'
import { kernelFindings } from './kernel-findings.js'
import { partFindings } from './part-findings.js'
import { type SandboxTrial, trySandbox } from './try-sandbox.js'

export interface DoctorReport {
  /** A sandbox could be started. */
  readonly ready: boolean
  readonly user: number
  readonly findings: readonly Finding[]
  readonly sandbox: SandboxTrial
}

/** Looks at everything; nothing that is missing makes it fail. */
export async function examine(engine?: Engine, files: HostFiles = hostFiles): Promise<DoctorReport> {
  const host = await probeHost().catch((error: Error) => error)
  await using tried = engine ?? createNativeEngine({ pool: 0 })
  const sandbox = await trySandbox(tried)
  const probed =
    host instanceof Error ? [] : [...kernelFindings(host.kernel, files), ...bpfFindings(host.kernel, files)]
  return {
    ready: sandbox.problem === undefined,
    user: process.geteuid?.() ?? -1,
    findings: [kernelFinding(), ...probed, cgroupFinding(files), numaFinding(files), ...partFindings(host, sandbox)],
    sandbox,
  }
}
