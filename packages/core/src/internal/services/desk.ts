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
import type { Reloadable } from '../supervisor/policy-desk.js'
import { Services } from './services.js'

/** The next one that is made is the new one. */
const ignore = () => undefined
const none: IoCounts = Object.freeze({ ioOperations: 0, ioBytesIn: 0, ioBytesOut: 0, ioOpen: 0 })

export interface ServiceDeskOptions {
  readonly limits: SettledLimits
  /** The sandbox's own. */
  readonly own: Ruling | undefined
  /** Without one: what its services alone are ruled by, if it was given something. */
  readonly given: { readonly policies: PolicyModule; readonly policy: CompiledPolicy } | undefined
  /** Makes a ruling for services alone; of the built-in policy for `undefined`. */
  separate(given: CompiledPolicy | undefined): Promise<Ruling>
  session(): Session
}

/** One sandbox's services, made when its guest first asks: most never do, and a spawn is not to pay for it. */
export class ServiceDesk implements Reloadable {
  readonly #options: ServiceDeskOptions
  #given: CompiledPolicy | undefined
  #services: Services | undefined
  #making: Promise<Ruling> | undefined
  #ruling: Ruling | undefined
  #generation = 1
  #ended = false

  constructor(options: ServiceDeskOptions) {
    this.#options = options
    this.#given = options.given?.policy
  }

  /** What a reload replaces, where services were given a policy. */
  get reloadable(): Reloadable | undefined {
    return this.#given === undefined ? undefined : this
  }
  get policy(): CompiledPolicy {
    return this.#given!
  }
  get given(): CompiledPolicy {
    return this.#given!
  }
  get generation(): number {
    return this.#generation
  }

  readonly call: HostFunction = (...args) => {
    if (this.#ended) return ['ended', null]
    const { own, limits, session } = this.#options
    this.#services ??= new Services({
      cell: () => session().cell,
      ruling: async (cell) => {
        if (own !== undefined) return own
        this.#making ??= this.#begin(cell)
        return this.#making
      },
      reached: (limit) => session().reached(limit, seenOf[limit]),
      openFiles: limits.openFiles,
      most: budgetOf(limits).bytes,
    })
    return this.#services.call(...args)
  }

  async #begin(cell: Cell): Promise<Ruling> {
    try {
      const ruling = await this.#options.separate(this.#given)
      this.#ruling = ruling
      ruling.serve(cell)
      return ruling
    } catch (error) {
      // What was missing may be there next time.
      this.#making = undefined
      throw error
    }
  }

  /** @throws OptionError, ReloadError */
  replace(given: CompiledPolicy): Promise<void> | undefined {
    checkServicePolicy(this.#options.given!.policies, given)
    // One that is only being made is replaced as soon as it is there.
    const making = this.#ruling === undefined ? this.#making : undefined
    const replaced = this.#ruling?.replace(given)
    this.#given = given
    this.#generation++
    return making === undefined ? replaced : making.then((ruling) => ruling.replace(given), ignore)
  }

  get counts(): IoCounts {
    return this.#services?.counts ?? none
  }

  /** Of a sandbox that isn't brokered. */
  readonly onDenial = (denial: EngineDenial): void => this.#ruling?.onDenial(denial)

  async end(): Promise<void> {
    this.#ended = true
    await this.#services?.end()
    await (await this.#making?.catch(() => undefined))?.end()
  }
}

/** What rules anything else would be promised and not kept: the cell isn't ruled by it. @throws OptionError */
export function checkServicePolicy(policies: PolicyModule, policy: CompiledPolicy): void {
  const rules = policies.numberedRules(policy).map(({ section }) => section as string)
  const other = rules.find((section) => !/^(fs|net)\./.test(section)) ?? Object.keys(policy.limits)[0]
  if (other !== undefined)
    throw new OptionError('options.services', `rules files, sockets and names alone, and this one has ${other}`)
}
