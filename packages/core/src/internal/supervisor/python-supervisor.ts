import { EventEmitter, setMaxListeners } from 'node:events'
import type { Cell, Enforcer, Engine, EngineStats } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { Denial } from '../../denial.js'
import { NameInUseError } from '../../errors/name-in-use-error.js'
import { SupervisorClosedError } from '../../errors/supervisor-closed-error.js'
import type { SpawnOptions } from '../../options.js'
import type { PolicyStatus, ReloadOptions, ReloadResult } from '../../reloading.js'
import type { Sandbox } from '../../sandbox.js'
import type { Supervisor, SupervisorEvents } from '../../supervisor.js'
import { onAbort } from '../abort.js'
import { checkOptions, displayName, listOf, optional } from '../options/check.js'
import { type SettledSpawn, settleSpawn, underPolicy } from '../options/spawn-options.js'
import type { SettledSupervisor } from '../options/supervisor-options.js'
import { BuiltInNotices } from '../policy/built-in-notices.js'
import { findPolicy, type GivenPolicy, type PolicyModule, policyModule, withGrants } from '../policy/policy-module.js'
import { Ruling } from '../policy/ruling.js'
import type { MintedToken, MintOptions } from '../reload/tokens.js'
import { checkServicePolicy, ServiceDesk } from '../services/desk.js'
import { PythonSandbox } from '../session/python-sandbox.js'
import { Session } from '../session/session.js'
import { defaultEngine } from './default-engine.js'
import { PolicyDesk } from './policy-desk.js'
import { spawnRequest } from './spawn-request.js'

export class PythonSupervisor extends EventEmitter<SupervisorEvents> implements Supervisor {
  readonly #settled: SettledSupervisor
  /** Under these names a sandbox lives, or is being started (`undefined`). */
  readonly #names = new Map<string, Sandbox | undefined>()
  /** Spawns under way, and how to give each up. */
  readonly #spawning = new Map<Promise<Sandbox>, AbortController>()
  /** Of every spawn that has no signal of its own: making one for each would be a good part of a spawn from the pool. */
  readonly #giveUpAll = new AbortController()
  readonly #desk: PolicyDesk
  /** What every sandbox may read. */
  readonly #grants: readonly string[]
  /** What sandboxes may do while they are made. */
  #blank: CompiledPolicy | undefined
  #engine: Promise<Engine> | undefined
  #loadedEngine: Engine | undefined
  #closing: Promise<void> | undefined

  constructor(settled: SettledSupervisor) {
    super()
    this.#settled = settled
    this.#grants = [...settled.readPaths, ...settled.modulePaths]
    this.#desk = new PolicyDesk({
      policies: settled.policies,
      control: settled.control,
      onToken: (use) => this.#announce('token', use),
      onStatus: (status) => this.#announce('policies', status),
      onReload: (result) => this.#announce('reload', result),
      onError: (error) => this.#announce('fault', error),
    })
    // What goes wrong is told to whoever waits for it: `ready`, `spawn`.
    if (settled.policies !== undefined || settled.control !== undefined) this.#desk.ready().catch(() => {})
    setMaxListeners(0, this.#giveUpAll.signal)
  }

  async spawn(name: string, options?: SpawnOptions): Promise<Sandbox> {
    displayName(name, 'name')
    const settled = settleSpawn(options, this.#settled.limits)
    settled.signal?.throwIfAborted()
    if (this.#closing !== undefined) throw closedError()
    if (this.#names.has(name)) throw new NameInUseError(name)
    this.#names.set(name, undefined)
    const giveUp = settled.signal === undefined ? this.#giveUpAll : new AbortController()
    const spawning = this.#start(name, settled, giveUp)
    this.#spawning.set(spawning, giveUp)
    try {
      return await spawning
    } finally {
      this.#spawning.delete(spawning)
    }
  }

  async reload(policy: string | CompiledPolicy, options: ReloadOptions = {}): Promise<ReloadResult> {
    if (this.#closing !== undefined) throw closedError()
    return this.#desk.reload(policy, checkOptions(options, 'options', reloadChecks) as ReloadOptions)
  }

  mintToken(options: MintOptions): MintedToken {
    return this.#desk.tokens.mint(options)
  }

  revokeToken(id: string): boolean {
    return this.#desk.tokens.revoke(id)
  }

  policyStatus(): PolicyStatus | undefined {
    return this.#desk.status
  }

  ready(): Promise<void> {
    return this.#desk.ready()
  }

  sandboxes(): Sandbox[] {
    return [...this.#names.values()].filter((sandbox) => sandbox !== undefined)
  }

  stats(): EngineStats {
    return this.#loadedEngine?.stats() ?? { sandboxes: 0, pooled: 0, cells: 0, zygotes: 0 }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #start(name: string, settled: SettledSpawn, giveUp: AbortController): Promise<Sandbox> {
    // By hand: AbortSignal.any would leave something behind at a signal that outlives many spawns.
    const stopListening = onAbort(settled.signal, () => giveUp.abort(settled.signal?.reason))
    let ruling: Ruling | undefined
    let follows: string | undefined
    let session: Session
    let services: ServiceDesk
    let served: Served | undefined
    let spawn = settled
    let cell: Cell
    try {
      if (settled.policy !== undefined) {
        const ruled = await this.#rule(name, settled, (contract) => session.breach(contract))
        ruling = ruled.ruling
        follows = ruled.follows
        spawn = ruled.spawn
        giveUp.signal.throwIfAborted()
      } else if (settled.services !== undefined) {
        served = await this.#servicePolicy(settled.services)
        follows = served.follows
      }
      const limits = spawn.limits
      services = new ServiceDesk({
        limits,
        own: ruling,
        given: served,
        separate: (given) => this.#ruleServices(name, settled, given, (contract) => session.breach(contract)),
        session: () => session,
      })
      const functions = new Map([...spawn.functions, ['__io__', services.call]])
      if (ruling !== undefined) {
        functions.set('__resolve__', ruling.resolve)
        functions.set('__denied__', ruling.deniedImport)
      }
      const notices: Notices = ruling ?? new BuiltInNotices((denial) => this.#denied(name, settled, denial))
      functions.set('__denied_call__', notices.deniedCall)
      const onLimit = notices.limitReached
      session = new Session({ name, limits: spawn.limits, functions, onLimit })
      const request = spawnRequest(session, spawn, this.#settled, giveUp.signal, ruling, services.onDenial)
      const engine = await this.#getEngine()
      giveUp.signal.throwIfAborted()
      cell = await engine.spawn(request)
      try {
        ruling?.begin(cell)
      } catch (error) {
        cell.kill('not enforced')
        throw error
      }
    } catch (error) {
      this.#names.delete(name)
      await ruling?.end()
      throw error
    } finally {
      stopListening()
    }
    const sandbox = new PythonSandbox(session, cell, spawn, ruling, (given) => this.#desk.find(given), services)
    const reloadable = ruling ?? services.reloadable
    if (reloadable !== undefined) this.#desk.add(name, reloadable, follows)
    this.#names.set(name, sandbox)
    session.begin(cell)
    void session.closed.then((outcome) => {
      this.#names.delete(name)
      this.#desk.remove(name)
      this.#announce('exit', sandbox, outcome)
      void services.end()
      void ruling?.end()
    })
    if (giveUp.signal.aborted) {
      await sandbox.close()
      throw giveUp.signal.reason
    }
    this.#announce('spawn', sandbox)
    return sandbox
  }

  /** @throws PolicyError, UnenforceableError, OptionError */
  async #rule(
    name: string,
    settled: SettledSpawn,
    kill: (contract: string) => void,
  ): Promise<{
    ruling: Ruling
    spawn: SettledSpawn
    follows: string | undefined
  }> {
    const found = await this.#desk.find(settled.policy!)
    const policy = withGrants(found.policy, this.#grants)
    const ruling = await this.#makeRuling(name, settled, found.policy, this.#settled.enforcers, kill)
    return { ruling, follows: found.follows, spawn: underPolicy(settled, policy, this.#settled.limits) }
  }

  /** @throws PolicyError, OptionError */
  async #servicePolicy(given: GivenPolicy): Promise<Served> {
    const [found, policies] = await Promise.all([this.#desk.find(given), policyModule()])
    checkServicePolicy(policies, found.policy)
    return { ...found, policies }
  }

  /** What a sandbox without a policy may ask this side for. */
  async #ruleServices(
    name: string,
    settled: SettledSpawn,
    given: CompiledPolicy | undefined,
    kill: (contract: string) => void,
  ): Promise<Ruling> {
    const policy = given ?? findPolicy(await policyModule(), 'stdlib.readonly')
    return this.#makeRuling(name, settled, policy, [], kill)
  }

  async #makeRuling(
    name: string,
    settled: SettledSpawn,
    given: CompiledPolicy,
    enforcers: readonly Enforcer[],
    kill: (contract: string) => void,
  ): Promise<Ruling> {
    const [policies, engine] = await Promise.all([policyModule(), this.#getEngine()])
    const grants = this.#grants
    const policy = withGrants(given, grants)
    this.#blank ??= withGrants(findPolicy(policies, 'stdlib.readonly'), grants)
    return new Ruling({
      name,
      isolation: settled.isolation,
      policies,
      policy,
      given,
      grants,
      host: {
        cpuMissing: () =>
          engine.cpuShareMissing === undefined ? 'this engine has no control groups' : engine.cpuShareMissing(),
      },
      enforcers,
      blank: this.#blank,
      learn: settled.learn,
      kill,
      onDenial: (denial) => this.#denied(name, settled, denial),
    })
  }

  #denied(name: string, { onDenied }: SettledSpawn, denial: Denial): void {
    onDenied?.(denial)
    this.#announce('denied', name, denial)
  }

  async #getEngine(): Promise<Engine> {
    this.#engine ??= (async () =>
      this.#settled.engine ?? (await defaultEngine(this.#settled, (event) => this.#announce('zygote', event))))()
    try {
      this.#loadedEngine = await this.#engine
      return this.#loadedEngine
    } catch (error) {
      // What was missing may be there next time.
      this.#engine = undefined
      throw error
    }
  }

  async #close(): Promise<void> {
    for (const giveUp of this.#spawning.values()) giveUp.abort(closedError())
    await Promise.allSettled([...this.#spawning.keys()])
    await Promise.all([this.#desk.close(), ...this.sandboxes().map((sandbox) => sandbox.close())])
    if (this.#settled.engine === undefined) await this.#loadedEngine?.close()
    this.#announce('close')
  }

  /** In a turn of its own: what a listener throws is the program's matter, not the sandbox's. */
  #announce<K extends keyof SupervisorEvents>(event: K, ...args: SupervisorEvents[K]): void {
    if (this.listenerCount(event) > 0) process.nextTick(() => (this as EventEmitter).emit(event, ...args))
  }
}

type Notices = Pick<Ruling, 'deniedCall' | 'limitReached'>

type Served = Awaited<ReturnType<PolicyDesk['find']>> & { readonly policies: PolicyModule }

const reloadChecks = {
  sandboxes: optional(listOf('the name of a sandbox', (name) => name !== '')),
  token: optional(displayName),
}

function closedError(): SupervisorClosedError {
  return new SupervisorClosedError('the supervisor is closed: spawn with another one')
}
