import { setImmediate as turn } from 'node:timers/promises'
import type { Sandbox } from '@pyisolate/core'
import { check } from '../suite.js'

export const TEXT = 'x'.repeat(1000)
export const BATCH = 50

/** Has a sandbox answer every message with itself. */
export async function echoing(sandbox: Sandbox): Promise<Sandbox> {
  // It ends with the sandbox, and the call with it.
  sandbox.exec('while True: post(recv())', { timeout: Number.POSITIVE_INFINITY }).catch(() => {})
  await turn()
  return sandbox
}

/** Microseconds of each of a batch of messages there and back, one after the other. */
export async function echoes(sandbox: Sandbox, count: number): Promise<number[]> {
  const samples: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await sandbox.send(TEXT)
    const answer = await sandbox.recv()
    samples.push((performance.now() - start) * 1000)
    check(answer === TEXT, 'the echo')
  }
  return samples
}
