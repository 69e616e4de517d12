import type { Denial } from '../../denial.js'
import type { HostFunction } from '../../options.js'
import type { LimitNotice } from '../session/limit-notice.js'
import { readDeniedCall } from './denied-call.js'
import { Pace } from './pace.js'
import { findPolicy, policyModule } from './policy-module.js'

const name = 'stdlib.readonly'

/** What is told of a sandbox that only the built-in policy rules. */
export class BuiltInNotices {
  readonly #pace = new Pace()

  constructor(private readonly tell: (denial: Denial) => void) {}

  readonly limitReached = ({ limit, seen, lost, toldBy }: LimitNotice): void => {
    this.#tell({ operation: 'limit', object: limit, errno: seen, lost, toldBy })
  }

  /** As `Ruling.deniedCall`: such a sandbox has no list of rules before somebody asks. */
  readonly deniedCall: HostFunction = async (...said: readonly unknown[]) => {
    const policies = await policyModule()
    const policy = findPolicy(policies, name)
    const denied = readDeniedCall(said[0], said[1], (call) => policies.explain(policy, { kind: 'syscall', name: call }))
    if (denied === undefined) return
    const { operation, object } = denied
    this.#tell({ operation, object, errno: 'EPERM', lost: 0, toldBy: 'guest' })
  }

  #tell(said: Pick<Denial, 'operation' | 'object' | 'errno' | 'lost' | 'toldBy'>): void {
    const lost = this.#pace.take(said.lost)
    if (lost === undefined) return
    this.tell({ ...said, lost, name: undefined, rule: undefined, policy: name, generation: 1, allowed: false })
  }
}
