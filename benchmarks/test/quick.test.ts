import { fileURLToPath } from 'node:url'
import { runNode } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import type { Figure } from '../src/figure.js'
import { suites } from '../src/suites/index.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

async function quick(...args: string[]) {
  const result = await runNode(main, {
    args: [...args, '--quick', '--json', '-'],
    nodeArgs: ['--expose-gc'],
    timeout: 110_000,
  })
  expect(result, result.stderr).toMatchObject({ code: 0, timedOut: false })
  return JSON.parse(result.stdout)
}

function expectFinite(figures: readonly Figure[], suite: string) {
  expect(figures.length).toBeGreaterThan(0)
  for (const it of figures) {
    expect(it.name.startsWith(suite)).toBe(true)
    for (const value of [it.p50, it.p99, it.n]) expect(Number.isFinite(value), it.name).toBe(true)
    expect(Object.keys(it).sort()).toEqual(['limit', 'n', 'name', 'p50', 'p99', 'peers', 'ratio', 'unit'])
  }
}

// That it runs and that its answers are right; how fast it is depends on the day.
describe('a quick run', () => {
  it.for(suites.map(({ name, missing }) => ({ name, missing })))('$name yields figures', async (it, context) => {
    const missing = it.missing?.()
    if (missing !== undefined) return context.skip(missing)
    const suite = it.name
    const document = await quick(suite, '--no-peers')
    expect(Object.keys(document)).toEqual(['machine', 'node', 'python', 'commit', 'figures'])
    expectFinite(document.figures, suite)
    const none = ['cycle.leak', ...(process.getuid?.() === 0 ? [] : ['policy.reload'])]
    if (!none.includes(suite)) expect(document.figures[0].limit).toBeGreaterThan(0)
  })

  it('measures the rivals that are installed', async () => {
    const { figures } = await quick('spawn.process.cold', 'guest.cpu')
    const python = figures[0].peers.find(({ name }: { name: string }) => name === 'python -I -S')
    expect(python.p50).toBeGreaterThan(0)
    expect(figures.flatMap(({ peers }: Figure) => peers).some((it: object) => 'missing' in it && !it.missing)).toBe(
      false,
    )
  })
})
