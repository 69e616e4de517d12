import { setTimeout as delay } from 'node:timers/promises'

import { SpawnError } from '@pyisolate/interface'

import { explainErrno } from '../errors/system-error.js'
import type { NativeAddon, ZygoteExit, ZygoteHandle, ZygoteOptions } from './addon.js'
import { type Deferred, deferred } from './deferred.js'
import { describeExit, spawnFailure } from './failures.js'

/** Told when a zygote has started or ended. A zygote that ended is started again when it is next needed. */
export type ZygoteEvent =
  | { readonly kind: 'started'; readonly pid: number; readonly preload: readonly string[] }
  | {
      readonly kind: 'ended'
      readonly pid: number
      readonly preload: readonly string[]
      readonly code: number | null
      readonly signal: number | null
      /** The end of what it wrote to stderr. */
      readonly stderr: string
    }

export type ZygoteCommand = Pick<ZygoteOptions, 'executable' | 'args' | 'sealed'>

const FIRST_BACK_OFF_MS = 100
const LONGEST_BACK_OFF_MS = 5000
/** One that lived this long wasn't broken from the start. */
const SOUND_AFTER_MS = 1000
const CLOSE_GRACE_MS = 1000

interface ReadyReport {
  readonly stdlib: string
  /** System calls by number. */
  readonly toldCalls?: Readonly<Record<string, string>>
}

interface Life {
  readonly handle: ZygoteHandle
  readonly ready: Deferred<ZygoteHandle>
  readonly ended: Deferred<void>
  readonly started: number
  waiting: number
  /** Its handle from when it is ready. */
  sound: ZygoteHandle | undefined
  failure: string | undefined
}

/** The process that forks the cells of one set of preloaded modules: started on need, restarted when it died. */
export class Zygote {
  #life: Life | undefined
  #failures = 0
  #retryAt = 0
  #closed = false
  #stdlib = ''
  #toldCalls: NonNullable<ReadyReport['toldCalls']> = {}

  constructor(
    private readonly addon: NativeAddon,
    private readonly command: ZygoteCommand,
    private readonly preload: readonly string[],
    private readonly onEvent: (event: ZygoteEvent) => void,
  ) {}

  get alive(): boolean {
    return this.#life !== undefined
  }

  /** Its handle, if it can fork now. */
  get ready(): ZygoteHandle | undefined {
    return this.#closed ? undefined : this.#life?.sound
  }

  /** Its handle, once it can fork. Waiting for it keeps the event loop alive. @throws SpawnError */
  async acquire(): Promise<ZygoteHandle> {
    const wait = this.#life ? 0 : this.#retryAt - Date.now()
    if (wait > 0) await delay(wait)
    if (this.#closed) throw new SpawnError('the engine is closed')
    this.#life ??= this.#start()
    const life = this.#life
    if (life.waiting++ === 0) life.handle.ref()
    try {
      return await life.ready.promise
    } finally {
      if (--life.waiting === 0) life.handle.unref()
    }
  }

  /** The standard library's folder as its cells see it; known once it is ready. */
  get stdlib(): string {
    return this.#stdlib
  }

  /** The name of a system call that its cells tell of when it is denied. */
  callName(number: string): string | undefined {
    return this.#toldCalls[number]
  }

  /** Waits for the end of a zygote that was found dead, so that the next `acquire` starts another. */
  async gone(handle: ZygoteHandle): Promise<void> {
    if (this.#life?.handle === handle) await this.#life.ended.promise
  }

  /** Ends it; resolves when it is reaped. */
  async close(): Promise<void> {
    this.#closed = true
    const life = this.#life
    if (!life) return
    life.handle.ref()
    life.handle.close()
    const impatient = setTimeout(() => life.handle.kill(), CLOSE_GRACE_MS)
    await life.ended.promise
    clearTimeout(impatient)
  }

  #start(): Life {
    let life: Life
    try {
      const handle = this.addon.launchZygote({
        ...this.command,
        env: [],
        onReady: (report) => {
          const { stdlib, toldCalls = {} } = JSON.parse(report) as ReadyReport
          this.#stdlib = stdlib
          this.#toldCalls = toldCalls
          this.onEvent({ kind: 'started', pid: handle.pid, preload: this.preload })
          life.sound = handle
          life.ready.resolve(handle)
        },
        onFailed: (errno, text) => {
          life.failure = errno > 0 ? `${text}: ${explainErrno(errno)}` : text
        },
        onExit: (exit) => this.#onExit(life, exit),
      })
      const started = Date.now()
      life = { handle, ready: deferred(), ended: deferred(), started, waiting: 0, sound: undefined, failure: undefined }
    } catch (error) {
      throw spawnFailure(`the engine ${this.command.executable} can't be started`, error)
    }
    return life
  }

  #onExit(life: Life, exit: ZygoteExit): void {
    this.#life = undefined
    const sound = Date.now() - life.started >= SOUND_AFTER_MS
    this.#failures = sound ? 0 : this.#failures + 1
    // The first death costs nothing: it may have been an accident.
    const backOff =
      this.#failures < 2 ? 0 : Math.min(FIRST_BACK_OFF_MS * 2 ** (this.#failures - 2), LONGEST_BACK_OFF_MS)
    this.#retryAt = Date.now() + backOff
    const said = exit.stderr.trim()
    const why = life.failure ?? describeExit(exit)
    life.ready.reject(new SpawnError(`the engine's zygote could not start: ${why}${said === '' ? '' : `\n${said}`}`))
    life.ended.resolve()
    const { code, signal, stderr } = exit
    this.onEvent({ kind: 'ended', pid: life.handle.pid, preload: this.preload, code, signal, stderr })
  }
}
