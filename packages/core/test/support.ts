import { FakeEngine, type FakeEngineOptions, type FakeScript } from '@pyisolate/test-kit'
import { onTestFinished } from 'vitest'
import {
  createSupervisor,
  type Sandbox,
  type SpawnOptions,
  type Supervisor,
  type SupervisorOptions,
} from '../src/index.js'

/** A supervisor on a fake engine, both closed when the running test is over. */
export function fakeSupervisor(
  script: FakeScript = () => null,
  { engine: engineOptions = {}, ...options }: Omit<SupervisorOptions, 'engine'> & { engine?: FakeEngineOptions } = {},
): { supervisor: Supervisor; engine: FakeEngine } {
  const engine = new FakeEngine({ script, ...engineOptions })
  const supervisor = createSupervisor({ ...options, engine })
  onTestFinished(async () => {
    await supervisor.close()
    await engine.close()
  })
  return { supervisor, engine }
}

export async function fakeSandbox(script: FakeScript, options: SpawnOptions = {}): Promise<Sandbox> {
  return fakeSupervisor(script).supervisor.spawn('test', options)
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    (value) => {
      throw new Error(`it did not reject: ${String(value)}`)
    },
    (error: Error & Record<string, unknown>) => error,
  )
}
