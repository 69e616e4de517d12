import { type Engine, EngineMissingError, SpawnError } from '@pyisolate/interface'
import type { ZygoteEvent } from '@pyisolate/native'
import { lazily } from '../lazily.js'
import type { SettledSupervisor } from '../options/supervisor-options.js'

/**
 * The engine of `@pyisolate/native`, loaded on first use: a program that injects its own never needs it.
 * @throws EngineMissingError, SpawnError
 */
export async function defaultEngine(
  settled: SettledSupervisor,
  onZygote: (event: ZygoteEvent) => void,
): Promise<Engine> {
  const { createNativeEngine } = await load()
  return createNativeEngine({ pool: settled.poolSize, ringBytes: settled.ringBytes, onZygote })
}

async function load(): Promise<typeof import('@pyisolate/native')> {
  try {
    return await lazily('@pyisolate/native', () => import('@pyisolate/native'))
  } catch (cause) {
    if (EngineMissingError.isInstance(cause) || SpawnError.isInstance(cause)) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new EngineMissingError(
      `@pyisolate/native could not be loaded: ${why}. In a checkout run npm start, which builds it; elsewhere install it beside @pyisolate/core`,
      { cause },
    )
  }
}
