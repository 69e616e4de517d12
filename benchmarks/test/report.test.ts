import { describe, expect, it } from 'vitest'
import { parseChoice, UsageError } from '../src/cli.js'
import { figure, peer } from '../src/figure.js'
import { goalOf } from '../src/goals.js'
import { alternate } from '../src/internal/alternate.js'
import { table } from '../src/report/table.js'

const known = ['spawn.process.cold', 'spawn.process.pool', 'oneshot']

describe('the command line', () => {
  it('chooses all suites, or by name, or by what a name begins with', () => {
    expect(parseChoice([], known)).toEqual({ suites: known, json: undefined, quick: false, peers: true, help: false })
    expect(parseChoice(['spawn'], known).suites).toEqual(known.slice(0, 2))
    expect(parseChoice(['oneshot', '--json', '-', '--quick', '--no-peers'], known)).toMatchObject({
      suites: ['oneshot'],
      json: '-',
      quick: true,
      peers: false,
    })
  })

  it.each([[['spaw']], [['--jsn']], [['--json']]])('refuses %j', (argv) => {
    expect(() => parseChoice(argv, known)).toThrow(UsageError)
  })
})

describe('a figure', () => {
  it('is compared with the median of its limit', () => {
    const it = figure({ name: 'x', unit: 'µs', samples: [10, 20, 30], limit: [1, 2, 9] })
    expect(it).toMatchObject({ p50: 20, n: 3, limit: 2, ratio: 10, peers: [] })
    expect(figure({ name: 'x', unit: 'µs', samples: [1] })).toMatchObject({ limit: null, ratio: null })
    expect(figure({ name: 'x', unit: 'µs', samples: [1], limit: 0 })).toMatchObject({ limit: 0, ratio: null })
  })

  it('meets its goal by its size or by its ratio', () => {
    const cold = (p50: number, limit: number) => {
      const it = figure({ name: 'spawn.process.cold', unit: 'µs', samples: [p50], limit })
      return goalOf(it.name)!.met(it)
    }
    expect(cold(650, 100)).toBe(true)
    expect(cold(900, 700)).toBe(true)
    expect(cold(900, 500)).toBe(false)
  })

  it('stands in the table over its rivals', () => {
    const peers = [peer('fast', [1]), { name: 'absent', missing: 'not installed' }]
    const text = table([
      figure({ name: 'oneshot', unit: 'per s', samples: [2000], limit: 4000, peers, better: 'higher' }),
    ])
    expect(text).toMatch(/oneshot +2000 +2000 +per s +1 +4000 +0\.50 +≥ 1000 per s +✓/)
    expect(text).toMatch(/ {2}fast .* 0\.00 ×/)
    expect(text).toMatch(/ {2}absent: none \(not installed\)/)
  })
})

describe('alternate', () => {
  it('takes turns, each first as often as the others', async () => {
    const order: string[] = []
    const part = (name: string, value: number | number[]) => async () => {
      order.push(name)
      return value
    }
    expect(await alternate(2, [part('a', 1), part('b', [2, 3])])).toEqual([
      [1, 1],
      [2, 3, 2, 3],
    ])
    expect(order).toEqual(['a', 'b', 'b', 'a'])
  })
})
