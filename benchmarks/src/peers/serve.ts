import { createInterface } from 'node:readline'
import type { Answer } from '../internal/line-client.js'

export type Command = (...args: never[]) => Promise<Answer> | Answer

/** A peer's process: answers lines of `[command, argument, …]`, so that a rival's memory and garbage stay its own. */
export async function serve(commands: Readonly<Record<string, Command>>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...args] = JSON.parse(line) as [string, ...never[]]
    let answer: Answer
    try {
      const command = commands[name]
      if (command === undefined) throw new Error(`no command ${name}`)
      answer = await command(...args)
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}

/** Nanoseconds of each of so many runs. */
export async function timed(count: number, body: () => unknown): Promise<number[]> {
  const samples: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    await body()
    samples.push((performance.now() - start) * 1e6)
  }
  return samples
}

export function expect(ok: boolean): void {
  if (!ok) throw new Error('wrong answer')
}
