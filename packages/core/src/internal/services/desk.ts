import type { Cell, Denial as EngineDenial } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import { OptionError } from '../../errors/option-error.js'
import type { HostFunction } from '../../options.js'
import type { IoCounts } from '../../sandbox.js'
import { budgetOf, type SettledLimits } from '../options/limits.js'
import type { PolicyModule } from '../policy/policy-module.js'
import type { Ruling } from '../policy/ruling.js'
import { seenOf } from '../session/limit-notice.js'
import type { Session } from '../session/session.js'
import { Services } from './services.js'

const none: IoCounts = Object.freeze({ ioOperations: 0, ioBytesIn: 0, ioBytesOut: 0, ioOpen: 0 })

/** One sandbox's services, made when its guest first asks: most never do, and a spawn is not to pay for it. */
export class ServiceDesk {
  #services: Services | undefined
  #ruling: Promise<Ruling> | undefined
  #denials: Ruling | undefined
  #ended = false

  constructor(
    private readonly limits: SettledLimits,
    /** The sandbox's own. */
    private readonly own: Ruling | undefined,
    /** One for its services alone. */
    private readonly separate: () => Promise<Ruling>,
    private readonly session: () => Session,
  ) {}

  readonly call: HostFunction = (...args) => {
    if (this.#ended) return ['ended', null]
    this.#services ??= new Services({
      cell: () => this.session().cell,
      ruling: async (cell) => {
        if (this.own !== undefined) return this.own
        this.#ruling ??= this.#begin(cell)
        return this.#ruling
      },
      reached: (limit) => this.session().reached(limit, seenOf[limit]),
      openFiles: this.limits.openFiles,
      most: budgetOf(this.limits).bytes,
    })
    return this.#services.call(...args)
  }

  async #begin(cell: Cell): Promise<Ruling> {
    try {
      const ruling = await this.separate()
      this.#denials = ruling
      ruling.serve(cell)
      return ruling
    } catch (error) {
      // What was missing may be there next time.
      this.#ruling = undefined
      throw error
    }
  }

  get counts(): IoCounts {
    return this.#services?.counts ?? none
  }

  /** Of a sandbox that isn't brokered. */
  readonly onDenial = (denial: EngineDenial): void => this.#denials?.onDenial(denial)

  async end(): Promise<void> {
    this.#ended = true
    await this.#services?.end()
    await (await this.#ruling?.catch(() => undefined))?.end()
  }
}

/** What rules anything else would be promised and not kept: the cell isn't ruled by it. @throws OptionError */
export function checkServicePolicy(policies: PolicyModule, policy: CompiledPolicy): void {
  const rules = policies.numberedRules(policy).map(({ section }) => section as string)
  const other = rules.find((section) => !/^(fs|net)\./.test(section)) ?? Object.keys(policy.limits)[0]
  if (other !== undefined)
    throw new OptionError('options.services', `rules files, sockets and names alone, and this one has ${other}`)
}
