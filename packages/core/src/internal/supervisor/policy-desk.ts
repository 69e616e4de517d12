import { PyIsolateError } from '@pyisolate/interface'
import type { CompiledPolicy, PolicySource, PolicyUpdate, RemoteOptions } from '@pyisolate/policy'
import { OptionError } from '../../errors/option-error.js'
import type { ControlOptions, PoliciesOptions, PolicyStatus, ReloadOptions, ReloadResult } from '../../reloading.js'
import { lazily } from '../lazily.js'
import { findPolicy, type GivenPolicy, type PolicyModule, policyModule } from '../policy/policy-module.js'
import type { ControlReload, ControlSocket } from '../reload/control-socket.js'
import { ReloadTokens, type TokenUse } from '../reload/tokens.js'

export interface DeskPort {
  readonly policies: PoliciesOptions | undefined
  readonly control: ControlOptions | undefined
  onToken(use: TokenUse): void
  onStatus(status: PolicyStatus): void
  /** A policy was put in force, or refused, in a sandbox. */
  onReload(result: ReloadResult): void
  onError(error: Error): void
}

/** What is ruled by a policy that can be replaced. */
export interface Reloadable {
  /** The policy in force; and without what the supervisor grants. */
  readonly policy: CompiledPolicy
  readonly given: CompiledPolicy
  readonly generation: number
  /** Rules from its return on; resolves when what is open has been judged by it, too. @throws PyIsolateError */
  replace(given: CompiledPolicy): Promise<void> | undefined
}

/** A supervisor's policies while it runs: where they come from, which sandboxes they rule, and who may replace them. */
export class PolicyDesk {
  readonly tokens: ReloadTokens
  readonly #port: DeskPort
  readonly #rulings = new Map<string, { readonly ruling: Reloadable; readonly follows: string | undefined }>()
  #opening: Promise<void> | undefined
  #source: PolicySource | undefined
  #control: ControlSocket | undefined

  constructor(port: DeskPort) {
    this.#port = port
    this.tokens = new ReloadTokens({ onUse: (use) => port.onToken(use) })
  }

  /** Once the source has been looked at and the control socket listens. @throws PolicySourceError, ControlError */
  ready(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  get status(): PolicyStatus | undefined {
    return this.#source?.status()
  }

  /** A name that the source knows is the source's. @throws PolicyError */
  async find(given: GivenPolicy): Promise<{ policy: CompiledPolicy; follows: string | undefined }> {
    const policies = await policyModule()
    if (this.#port.policies !== undefined) await this.ready()
    const own = typeof given === 'string' ? this.#source?.policies().get(given) : undefined
    // A name may be the source's and a template's: while nobody can tell, it is neither.
    const { state, error } = this.#source?.status() ?? { state: 'current', error: undefined }
    if (
      own === undefined &&
      error !== undefined &&
      state !== 'current' &&
      policies.templateNames().includes(String(given))
    )
      throw error
    return { policy: own?.policy ?? findPolicy(policies, given), follows: own?.name }
  }

  add(name: string, ruling: Reloadable, follows: string | undefined): void {
    this.#rulings.set(name, { ruling, follows })
    // It may have changed while the sandbox was being started.
    const latest = follows === undefined ? undefined : this.#source?.policies().get(follows)
    if (latest !== undefined && latest.policy.digest !== ruling.given.digest)
      this.#put(latest.policy, [name]).catch((error) => this.#port.onError(error))
  }

  remove(name: string): void {
    this.#rulings.delete(name)
  }

  /** @throws TokenError, PolicyError, OptionError */
  async reload(given: GivenPolicy, { token, sandboxes }: ReloadOptions): Promise<ReloadResult> {
    if (token !== undefined) this.tokens.use(token, { action: 'reload', sandboxes })
    const names = sandboxes ?? [...this.#rulings.keys()]
    const unknown = names.find((name) => !this.#rulings.has(name))
    if (unknown !== undefined) {
      const problem = `there is no running sandbox ${JSON.stringify(unknown)} whose policy can be replaced`
      throw new OptionError('options.sandboxes', problem)
    }
    const { policy } = await this.find(given)
    return this.#put(policy, names)
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {})
    await Promise.all([this.#source?.close(), this.#control?.[Symbol.asyncDispose]()])
  }

  /** Without a wait in between: the next call of any of them is decided by the new one. */
  async #put(policy: CompiledPolicy, names: readonly string[]): Promise<ReloadResult> {
    const reloaded: ReloadResult['reloaded'][number][] = []
    const refused: ReloadResult['refused'][number][] = []
    const settling: (Promise<void> | undefined)[] = []
    for (const name of names) {
      const ruling = this.#rulings.get(name)?.ruling
      if (ruling === undefined) continue
      try {
        settling.push(ruling.replace(policy))
        reloaded.push({ sandbox: name, name: policy.name, digest: policy.digest, generation: ruling.generation })
      } catch (error) {
        if (!PyIsolateError.isInstance(error)) throw error
        refused.push({ sandbox: name, code: error.code, message: error.message })
      }
    }
    await Promise.all(settling)
    const result = { reloaded, refused }
    this.#port.onReload(result)
    return result
  }

  async #open(): Promise<void> {
    const { policies, control } = this.#port
    if (policies !== undefined) await this.#watch(await policyModule(), policies)
    if (control !== undefined) await this.#listen(control)
  }

  async #watch(module: PolicyModule, policies: PoliciesOptions): Promise<void> {
    const source: PolicySource =
      'watch' in policies
        ? module.watchPolicies(policies.watch, policies)
        : module.remotePolicy(policies as RemoteOptions)
    this.#source = source
    source.onStatus((status) => this.#port.onStatus(status))
    await source.ready()
    void this.#follow(source)
  }

  async #follow(source: PolicySource): Promise<void> {
    const seen = new Map([...source.policies()].map(([name, { version }]) => [name, version]))
    for await (const update of source) {
      if (seen.get(update.name) === update.version) continue
      seen.set(update.name, update.version)
      this.#update(update)
    }
  }

  #update({ name, policy }: PolicyUpdate): void {
    const names = [...this.#rulings].filter(([, { follows }]) => follows === name).map(([sandbox]) => sandbox)
    this.#put(policy, names).catch((error) => this.#port.onError(error))
  }

  async #listen({ path }: ControlOptions): Promise<void> {
    const { openControlSocket } = await lazily('its control socket', () => import('../reload/control-socket.js'))
    this.#control = await openControlSocket({
      path,
      tokens: this.tokens,
      handlers: {
        reload: (request) => this.#reloadFor(request),
        status: async () => ({
          source: this.status ?? null,
          sandboxes: [...this.#rulings].map(([sandbox, { ruling, follows }]) => {
            const { name, digest } = ruling.policy
            return { sandbox, policy: name, digest, generation: ruling.generation, follows: follows ?? null }
          }),
        }),
      },
      onError: (error) => this.#port.onError(error instanceof Error ? error : new Error(String(error))),
    })
  }

  async #reloadFor({ policy, sandboxes }: ControlReload): Promise<ReloadResult> {
    const module = await policyModule()
    const compiled = 'template' in policy ? findPolicy(module, policy.template) : module.compileBundle(policy.documents)
    return this.reload(compiled, sandboxes === undefined ? {} : { sandboxes })
  }
}
