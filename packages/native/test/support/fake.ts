import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { Cell, CellExit, Engine, Frame, SpawnRequest } from '@pyisolate/interface'

import { createNativeEngine, type NativeEngineOptions } from '../../src/index.js'
import type { CellOptions, NativeAddon, ZygoteHandle } from '../../src/internal/addon.js'
import { loadAddon } from '../../src/internal/load-addon.js'

const output = (name: string): string => fileURLToPath(new URL(`../../build/Release/${name}`, import.meta.url))

export const addonPath = output('pyisolate_native.node')
export const fakeEngine = output('pyisolate-fake-engine')
if (!existsSync(fakeEngine)) throw new Error(`${fakeEngine} is missing: build the native parts first`)

export const addon: NativeAddon = loadAddon(addonPath)
export const text = (value: string): Uint8Array => Buffer.from(value)
export const string = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** An engine whose zygote is the fake: its payloads are JSON. */
export function fakeNativeEngine(options: NativeEngineOptions = {}): Engine {
  return createNativeEngine({
    executable: fakeEngine,
    addon: addonPath,
    pythonHome: { prefix: '/nowhere', stdlib: '/nowhere/lib' },
    ...options,
  })
}

export interface Sandbox {
  readonly cell: Cell
  readonly frames: Frame[]
  readonly exit: Promise<CellExit>
  readonly corrupt: string[]
  readonly drains: { count: number }
  /** Waits for a frame that fits; frames it skips stay in `frames`. */
  next(fits: (frame: Frame) => boolean): Promise<Frame>
}

export function request(overrides: Partial<SpawnRequest> = {}): SpawnRequest {
  return {
    name: 'sandbox',
    isolation: 'process',
    preload: [],
    readPaths: [],
    modulePaths: [],
    ringBytes: 65536,
    maxFrameBytes: 1 << 26,
    limits: { memory: 1 << 28, cpuSeconds: 0, threads: 16, openFiles: 64, frame: 1 << 26, depth: 64, items: 1e6 },
    init: text('{}'),
    decode: (payload) => JSON.parse(string(payload)),
    onFrame: () => {},
    onDrain: () => {},
    onCorrupt: () => {},
    onExit: () => {},
    ...overrides,
  }
}

export async function spawnFake(engine: Engine, overrides: Partial<SpawnRequest> = {}): Promise<Sandbox> {
  const frames: Frame[] = []
  const corrupt: string[] = []
  const drains = { count: 0 }
  const waiting = new Set<() => void>()
  let told!: (exit: CellExit) => void
  const exit = new Promise<CellExit>((resolve) => {
    told = resolve
  })
  let cell: Cell | undefined
  const options = request({
    ...overrides,
    onFrame: (frame) => {
      overrides.onFrame?.(frame)
      frames.push(frame)
      for (const look of waiting) look()
    },
    onDrain: () => {
      drains.count++
    },
    onCorrupt: (detail) => {
      corrupt.push(detail)
      cell?.kill('protocol')
    },
    onExit: told,
  })
  cell = await engine.spawn(options)
  let seen = 0
  const next = (fits: (frame: Frame) => boolean): Promise<Frame> =>
    new Promise((resolve) => {
      const look = (): void => {
        while (seen < frames.length) {
          const frame = frames[seen++]
          if (!frame || !fits(frame)) continue
          waiting.delete(look)
          resolve(frame)
          return
        }
      }
      waiting.add(look)
      look()
    })
  return { cell, frames, exit, corrupt, drains, next }
}

/** A zygote at the addon's level. */
export function launch(
  misbehave?: string,
  sealed?: boolean | 'hybrid',
): Promise<{ zygote: ZygoteHandle; gone: Promise<{ stderr: string; signal: number | null }> }> {
  return new Promise((resolve, reject) => {
    let ended!: (exit: { stderr: string; signal: number | null }) => void
    const gone = new Promise<{ stderr: string; signal: number | null }>((done) => {
      ended = done
    })
    const zygote = addon.launchZygote({
      executable: fakeEngine,
      args: ['zygote', '--supervisor', String(process.pid), ...(misbehave ? ['--preload', `fake:${misbehave}`] : [])],
      env: [],
      sealed,
      onReady: () => resolve({ zygote, gone }),
      onFailed: (_errno, why) => reject(new Error(why)),
      onExit: ended,
    })
    zygote.ref()
  })
}

export function cellOptions(overrides: Partial<CellOptions> = {}): CellOptions & { mode: 'process' } {
  return {
    mode: 'process',
    ringBytes: 65536,
    maxFrameBytes: 1 << 26,
    onForked: () => {},
    onForkFailed: () => {},
    onFrame: () => {},
    onDrain: () => {},
    onCorrupt: () => {},
    onExit: () => {},
    onDenied: () => {},
    onRefused: () => {},
    ...overrides,
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export async function until(what: string, holds: () => boolean, ms = 5000): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await sleep(5)
  }
}

export function alive(pid: number): boolean {
  try {
    // A zombie is dead.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

export const openDescriptors = (): number => readdirSync('/proc/self/fd').length

export function children(): number {
  const pids = readdirSync('/proc/self/task').flatMap((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean)
    } catch {
      return []
    }
  })
  return pids.length
}
