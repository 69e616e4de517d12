import { afterAll, onTestFinished } from 'vitest'
import { createSupervisor, type Sandbox, type SpawnOptions, type Supervisor } from '../../src/index.js'

export type Where = 'process' | 'interpreter'
export const everywhere: readonly Where[] = ['process', 'interpreter']

/** The file's supervisor, on the real engine. */
export const supervisor: Supervisor = createSupervisor()
afterAll(() => supervisor.close())

let count = 0

/** A sandbox of its own for the running test. In interpreter isolation it has its cell for itself, unless it names one. */
export async function sandbox(options: SpawnOptions = {}): Promise<Sandbox> {
  const name = `sandbox-${++count}`
  const own = options.isolation === 'interpreter' ? { cell: name } : {}
  const spawned = await supervisor.spawn(name, { ...own, ...options })
  onTestFinished(async () => {
    await spawned.close()
  })
  return spawned
}

export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    (value) => {
      throw new Error(`it did not reject: ${String(value)}`)
    },
    (error: Error & Record<string, unknown>) => error,
  )
}

/** Milliseconds until a promise settles. */
export async function timeOf(promise: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await promise.catch(() => {})
  return performance.now() - start
}
