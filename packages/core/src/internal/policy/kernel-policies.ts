import type { KernelPolicy } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { PolicyModule } from './policy-module.js'
import type { TableOptions } from './tables.js'

const known = new WeakMap<CompiledPolicy, Map<string, KernelPolicy>>()

/** What enforcers in the kernel are given; the same object for the same policy and place, as they prepare each once. */
export function kernelPolicy(policies: PolicyModule, policy: CompiledPolicy, options: TableOptions): KernelPolicy {
  const { places, scratch, logOnly } = options
  const made = known.get(policy) ?? new Map<string, KernelPolicy>()
  known.set(policy, made)
  const key = `${places.stdlib.host}\0${scratch ?? ''}\0${logOnly}`
  let target = made.get(key)
  if (target === undefined) {
    // Files are known by what they are on this side, whatever the guest's root shows them as.
    const variables = { STDLIB: places.stdlib.host, ...(scratch !== undefined && { TMP: scratch }) }
    const { bandwidthIn, bandwidthOut } = policy.limits
    target = {
      ...policies.compileBpf(policy, variables),
      contracts: policies.compileContracts(policy),
      bandwidth: { in: bandwidthIn, out: bandwidthOut },
      logOnly,
    }
    // A scratch folder is one sandbox's: such targets are not kept for others.
    if (scratch === undefined) made.set(key, target)
  }
  return target
}
