import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BpfError } from '../errors/bpf-error.js'
import { UnsupportedError } from '../errors/unsupported-error.js'

/** The addon's JavaScript face, by hand: keep it with loader/js_programs.cc. */
export interface Addon {
  readonly Programs: new (object: string, without: readonly string[]) => NativePrograms
  gracePeriod(): void
  now(): bigint
}

export interface NativePrograms {
  attach(): void
  attachCgroup(program: string, descriptor: number): void
  pin(folder: string): void
  update(map: string, key: Uint8Array, value: Uint8Array): void
  remove(map: string, key: Uint8Array): void
  lookup(map: string, key: Uint8Array): Buffer
  /** `unlabelledOnly`: leaves a label as it is. Whether it labelled the thread. */
  label(thread: number, value: Uint8Array, unlabelledOnly: boolean): boolean
  storeActive(index: number, slot: number, generation: number): void
  readSandbox(index: number): Buffer
  writeSandbox(index: number, value: Uint8Array): void
  loadContract(
    base: string,
    map: string,
    slot: number,
    instructions: Uint8Array,
    relocations: readonly { readonly at: number; readonly map: string }[],
  ): void
  drain(most: number): Buffer[]
  /** Calls `listener` on the event loop when events have come; the last one given. */
  watch(listener: () => void): void
  /** The object's own, until `close`. */
  mapDescriptor(map: string): number
  /** A byte over the loopback, by a socket with this value in its storage. */
  sendToItself(value: Uint8Array): void
  close(): void
}

function outputFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return join(folder, 'build', 'Release')
}

/** A compiled object of BPF programs: `pyisolate`, `cgroup` or `bandwidth`. */
export function objectFile(name: string): string {
  return join(outputFolder(), `${name}.bpf.o`)
}

let loaded: Addon | undefined

/** @throws UnsupportedError when it isn't built, or libbpf isn't installed */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded
  try {
    loaded = createRequire(import.meta.url)(join(outputFolder(), 'pyisolate_bpf.node')) as Addon
  } catch (cause) {
    const why = `the loader can't be loaded (${(cause as Error).message.split('\n')[0]}): build it, with clang and libbpf`
    throw new UnsupportedError('bpf', why, { minimumKernel: '5.19', instead: 'seccomp, Landlock', cause })
  }
  return loaded
}

/** Makes typed errors of what the addon throws. @throws BpfError */
export function calling<Result>(body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    const { call, errno, log } = error as { call?: unknown; errno?: unknown; log?: unknown }
    if (typeof call !== 'string' || typeof errno !== 'number') throw error
    throw new BpfError(call, errno, typeof log === 'string' ? log : '')
  }
}
