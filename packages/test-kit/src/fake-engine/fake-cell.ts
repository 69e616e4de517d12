import type {
  Cell,
  CellExit,
  CellUsage,
  DeadlineSlot,
  Enforcement,
  FrameType as FrameTypes,
  SpawnRequest,
} from '@pyisolate/interface'
import { FrameType } from '@pyisolate/interface'
import { fromCbor, toCbor } from '../internal/cbor.js'
import { Inbox } from './inbox.js'
import { Interruptible } from './interruptible.js'
import { Link } from './link.js'
import { FakeException, type FakeGuest, type FakeRequest, type FakeScript } from './types.js'

let nextPid = 1_000_000

/** A sandbox without a process: a script plays the guest. */
export class FakeCell implements Cell {
  readonly pid = nextPid++
  readonly enforcement: Enforcement = [
    { mechanism: 'fake', state: 'active', essential: false, detail: 'nothing is confined: the guest is a test script' },
  ]
  readonly exited: Promise<CellExit>
  readonly #request: SpawnRequest
  readonly #script: FakeScript
  readonly #link: Link
  readonly #control = new Interruptible()
  readonly #requests: (() => Promise<void>)[] = []
  readonly #inbox: Inbox
  readonly #timers = new Map<DeadlineSlot, NodeJS.Timeout[]>()
  readonly #hostCalls = new Map<number, (reply: { ok: boolean; payload: Uint8Array }) => void>()
  #resolveExited!: (exit: CellExit) => void
  #requestId = 0
  #lastHostCall = 0
  #busy = false
  #stubborn = false
  #closing = false
  #dead = false

  constructor(request: SpawnRequest, script: FakeScript) {
    this.#request = request
    this.#script = script
    this.#link = new Link(request.ringBytes, (frame) => request.onFrame(frame))
    this.#inbox = new Inbox(request.ringBytes, () => this.#dead || request.onDrain())
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve
    })
  }

  send(type: FrameTypes, id: number, payload: Uint8Array): boolean {
    if (this.#dead) return true
    const bytes = payload.slice()
    switch (type) {
      case FrameType.exec:
      case FrameType.eval:
      case FrameType.call:
        this.#requests.push(() => this.#run(type, id, bytes))
        this.#next()
        break
      case FrameType.message:
        return this.#inbox.put(bytes)
      case FrameType.reply:
      case FrameType.replyError:
        this.#hostCalls.get(id)?.({ ok: type === FrameType.reply, payload: bytes })
        this.#hostCalls.delete(id)
        break
      case FrameType.close:
        this.#closing = true
        this.#next()
    }
    if (payload.length <= this.#request.ringBytes) return true
    setImmediate(() => this.#dead || this.#request.onDrain())
    return false
  }

  pause(): void {
    this.#link.pause()
  }
  resume(): void {
    this.#link.resume()
  }

  interrupt(): void {
    if (this.#busy && !this.#stubborn) this.#control.interrupt()
  }

  setDeadline(slot: DeadlineSlot, softMs: number, hardMs: number, reason: string): void {
    for (const timer of this.#timers.get(slot) ?? []) clearTimeout(timer)
    const timers: NodeJS.Timeout[] = []
    if (Number.isFinite(softMs) && !this.#dead) timers.push(setTimeout(() => this.interrupt(), softMs))
    if (Number.isFinite(hardMs) && !this.#dead) timers.push(setTimeout(() => this.kill(reason), hardMs))
    this.#timers.set(slot, timers)
  }

  setCpuLimit(): void {}

  usage(): CellUsage {
    return this.#dead ? { cpuMs: 0, rssKiB: 0, privateKiB: 0 } : { cpuMs: 1, rssKiB: 600, privateKiB: 400 }
  }

  end(graceMs: number): Promise<CellExit> {
    if (!this.#dead) {
      this.send(FrameType.close, 0, new Uint8Array())
      const timer = setTimeout(() => this.kill('closed'), graceMs)
      void this.exited.then(() => clearTimeout(timer))
    }
    return this.exited
  }

  kill(reason: string): void {
    this.die({ code: null, signal: 9, killedBy: reason })
  }

  die(how: Pick<CellExit, 'code' | 'signal' | 'killedBy' | 'cell'>): void {
    if (this.#dead) return
    this.#dead = true
    this.#control.stop()
    for (const timers of this.#timers.values()) timers.forEach(clearTimeout)
    // What it wrote before its death arrives, but not from inside the call that kills it.
    setImmediate(() => {
      this.#link.drain()
      const exit: CellExit = { ...how, userMs: 1, systemMs: 1, maxRssKiB: 600 }
      this.#resolveExited(exit)
      this.#request.onExit(exit)
    })
  }

  #next(): void {
    if (this.#busy || this.#dead) return
    const run = this.#requests.shift()
    if (run !== undefined) {
      this.#busy = true
      void run()
    } else if (this.#closing) {
      void this.#exitFrame('closed', 0)
    }
  }

  async #run(type: number, id: number, payload: Uint8Array): Promise<void> {
    this.#requestId = id
    const fields = fromCbor(payload) as Partial<FakeRequest>
    const kind = type === FrameType.exec ? 'exec' : type === FrameType.eval ? 'eval' : 'call'
    const request = {
      kind,
      code: fields.code ?? '',
      name: fields.name ?? '',
      args: fields.args ?? [],
      kwargs: fields.kwargs ?? {},
    } as const
    try {
      const value = await this.#script(request, this.#guest())
      await this.#write(FrameType.result, id, toCbor(kind === 'exec' ? null : (value ?? null)))
    } catch (error) {
      if (this.#dead) return
      const type = error instanceof FakeException ? error.type : 'RuntimeError'
      const message = error instanceof Error ? error.message : String(error)
      const frames = [{ file: `<${kind}>`, line: 1, function: '<module>', source: request.code }]
      const details = {
        type,
        module: 'builtins',
        message,
        traceback: `Traceback (most recent call last):\n${type}: ${message}`,
        frames,
      }
      await this.#write(FrameType.error, id, toCbor(details))
    }
    this.#busy = false
    this.#next()
  }

  async #exitFrame(kind: string, code: number): Promise<void> {
    await this.#write(FrameType.exit, 0, toCbor({ kind, code, message: '' }))
    this.die({ code, signal: null, killedBy: null })
  }

  #write(type: number, id: number, payload: Uint8Array): Promise<void> {
    return this.#dead ? Promise.resolve() : this.#link.write({ type, id, payload })
  }

  #guest(): FakeGuest {
    const wait = <T>(promise: Promise<T>) => this.#control.race(promise)
    const cell = this
    return {
      name: this.#request.name,
      get requestId() {
        return cell.#requestId
      },
      post: (value) => wait(this.#write(FrameType.post, 0, toCbor(value))),
      print: (text, stream = 'out') =>
        wait(this.#write(FrameType[stream], 0, typeof text === 'string' ? new TextEncoder().encode(text) : text)),
      frame: (type, id, payload) => wait(this.#write(type, id, payload)),
      sleep: (ms) => wait(this.#control.sleep(ms)),
      recv: () => wait(this.#inbox.take().then(fromCbor)),
      host: async (name, args = [], kwargs = {}) => {
        const id = ++this.#lastHostCall
        const reply = new Promise<{ ok: boolean; payload: Uint8Array }>((resolve) => this.#hostCalls.set(id, resolve))
        await wait(this.#write(FrameType.hostCall, id, toCbor({ name, args, kwargs })))
        const { ok, payload } = await wait(reply)
        if (ok) return fromCbor(payload)
        const { type, message } = fromCbor(payload) as { type: string; message: string }
        throw new FakeException(type, message)
      },
      ignoreInterrupts: () => {
        this.#stubborn = true
      },
      exit: async (code) => {
        await this.#exitFrame('exit', code)
        return new Promise<never>(() => {})
      },
      crash: (signal) => {
        this.die({ code: null, signal, killedBy: null })
        return new Promise<never>(() => {})
      },
      corrupt: (detail) => this.#request.onCorrupt(detail),
    }
  }
}
