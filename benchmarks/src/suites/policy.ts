import { type CompiledPolicy, compilePolicy } from '@pyisolate/policy'
import { type Figure, figure, peer } from '../figure.js'
import { alternate, nsToUs } from '../internal/alternate.js'
import { check, type Suite } from '../suite.js'

/** Of a policy that rules on the network as the templates do: some sixty rules. */
function document(number: number, folder: string): string {
  return `version: 1
name: bench-${number}
extends: public_internet
fs:
  read: ['${folder}/**']
  write: ['/srv/${number}/**']
`
}

let documents = 0
const fresh = (folder: string): CompiledPolicy => compilePolicy(document(++documents, folder))

/** Microseconds of each call of `body`. */
async function timed<T>(items: readonly T[], body: (item: T) => unknown): Promise<number[]> {
  const samples: number[] = []
  for (const item of items) {
    const start = performance.now()
    await body(item)
    samples.push((performance.now() - start) * 1000)
  }
  return samples
}

export const policyCompile: Suite = {
  name: 'policy.compile',
  limit: 'the compiled policy read as JSON',
  async run(context): Promise<Figure[]> {
    context.step('measuring')
    const texts = Array.from({ length: context.count(20, 3) }, (_, i) => document(i, '/etc'))
    const whole = JSON.stringify(compilePolicy(texts[0]!))
    const parts = [
      () =>
        timed(texts, (text) => check(compilePolicy(text).name.startsWith('bench-'), 'the name of a compiled policy')),
      () => timed(texts, () => check(JSON.parse(whole).name === 'bench-0', 'the name of a policy read as JSON')),
    ]
    await alternate(context.count(10, 1), parts) // to warm up
    const [samples, limit] = await alternate(context.count(40, 2), parts)
    return [figure({ name: this.name, unit: 'µs', samples: samples!, limit: limit! })]
  },
}

export const policyReload: Suite = {
  name: 'policy.reload',
  limit: 'one element of a BPF array map replaced',
  async run(context): Promise<Figure[]> {
    await using supervisor = context.supervisor({ pool: { size: 0 } })
    using limits = context.limits()
    const folders = ['/etc', '/usr'] as const
    const sandbox = await supervisor.spawn('reload', { policy: fresh(folders[0]) })
    await sandbox.exec(`
import os
def listed(folder):
    try: return len(os.listdir(folder)) > 0
    except PermissionError: return False`)

    /** Each policy in force, one after the other; and whether the last one is what rules. */
    const reload = async (policies: readonly CompiledPolicy[]): Promise<number[]> => {
      const samples = await timed(policies, (policy) => sandbox.reload(policy))
      const { generation } = sandbox.policy
      const at = (policies.length - 1) % 2
      check(await sandbox.call('listed', [folders[at]]), `what generation ${generation} allows`)
      check(!(await sandbox.call('listed', [folders[1 - at]])), `what generation ${generation} denies`)
      return samples
    }
    context.step('measuring')
    const count = context.count(20, 4)
    // Maps are root's to make: for others there is a figure without its limit.
    const mapped = await limits.samples('mapupdate 1 0').then(
      () => true,
      () => false,
    )
    const kept = Array.from({ length: count }, (_, i) => fresh(folders[i % 2]!))
    const parts = [
      async () => reload(Array.from({ length: count }, (_, i) => fresh(folders[i % 2]!))),
      () => reload(kept),
      ...(mapped ? [() => limits.samples(`mapupdate ${count} 0`)] : []),
    ]
    await alternate(context.count(20, 1), parts) // to warm up
    const samples = await alternate(context.count(100, 2), parts)
    await sandbox.close()
    const peers = [peer('a policy that was in force before', samples[1]!)]
    const limit = mapped ? { limit: nsToUs(samples[2]!) } : {}
    return [figure({ name: this.name, unit: 'µs', samples: samples[0]!, peers, ...limit })]
  },
}
