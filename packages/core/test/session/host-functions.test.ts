import { FakeException, type FakeScript, until } from '@pyisolate/test-kit'
import { describe, expect, it } from 'vitest'
import type { HostFunction } from '../../src/index.js'
import { fakeSandbox } from '../support.js'

/** `call('f', args, kwargs)` calls `host.f`, and answers with what it returned or raised. */
const script: FakeScript = async ({ name, args, kwargs }, guest) => {
  try {
    return { returned: await guest.host(name, args, kwargs) }
  } catch (error) {
    if (!(error instanceof FakeException)) throw error
    return { raised: error.type, message: error.message }
  }
}

async function hostCall(functions: Record<string, HostFunction>, args: never[] = [], kwargs = {}): Promise<unknown> {
  const sandbox = await fakeSandbox(script, { functions })
  const answer = await sandbox.call('f', args, kwargs)
  expect(await sandbox.close()).toMatchObject({ kind: 'closed' })
  return answer
}

describe('host functions', () => {
  it('take positional arguments, and keywords as one object after them', async () => {
    const f = (...args: unknown[]) => args as never
    expect(await hostCall({ f }, [1, [2]] as never)).toEqual({ returned: [1, [2]] })
    expect(await hostCall({ f }, [1] as never, { b: 2 })).toEqual({ returned: [1, { b: 2 }] })
  })

  it('may be async, and may return nothing', async () => {
    expect(await hostCall({ f: async () => ({ a: 1 }) })).toEqual({ returned: { a: 1 } })
    expect(await hostCall({ f: () => {} })).toEqual({ returned: null })
  })

  it('raise in the guest what they throw', async () => {
    class OutOfStock extends Error {
      override name = 'OutOfStock'
      code = 'E_STOCK'
    }
    expect(
      await hostCall({
        f: () => {
          throw new OutOfStock('no apples')
        },
      }),
    ).toEqual({ raised: 'OutOfStock', message: 'no apples' })
    expect(
      await hostCall({
        f: async () => {
          throw new RangeError('far')
        },
      }),
    ).toEqual({ raised: 'RangeError', message: 'far' })
    expect(
      await hostCall({
        f: () => {
          throw 'a string'
        },
      }),
    ).toEqual({ raised: 'Error', message: 'a string' })
    expect(
      await hostCall({
        f: () => {
          throw undefined
        },
      }),
    ).toEqual({ raised: 'Error', message: 'undefined' })
    const hostile = {
      toString() {
        throw new Error('no')
      },
    }
    expect(
      await hostCall({
        f: () => {
          throw hostile
        },
      }),
    ).toEqual({ raised: 'Error', message: 'the host function failed' })
    const long = `${'x'.repeat(8191)}\ud83d\ude00`
    expect(
      await hostCall({
        f: () => {
          throw new Error(long)
        },
      }),
    ).toEqual({ raised: 'Error', message: `${'x'.repeat(8191)}\ufffd` })
  })

  it('raise TypeError in the guest for what cannot cross', async () => {
    expect(await hostCall({ f: () => ({ g: () => 1 }) as never })).toEqual({
      raised: 'TypeError',
      message: 'host.f() returned what cannot cross: value at $.g: a function cannot cross',
    })
    const cycle: Record<string, never> = {}
    cycle.self = cycle as never
    expect(await hostCall({ f: () => cycle })).toMatchObject({ raised: 'TypeError' })
  })

  it('are only those that were given', async () => {
    expect(await hostCall({ g: () => 1 })).toEqual({
      raised: 'AttributeError',
      message: 'the host has no function "f"',
    })
    const sandbox = await fakeSandbox(script, { functions: {} })
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(await sandbox.call(name)).toMatchObject({ raised: 'AttributeError' })
    }
  })

  it('may still run when the sandbox is closed', async () => {
    let finish!: (value: number) => void
    let fail!: (error: Error) => void
    const sandbox = await fakeSandbox(
      async (_request, guest) => {
        await Promise.all([guest.host('slow'), guest.host('failing')])
      },
      {
        functions: {
          slow: () => new Promise<number>((resolve) => (finish = resolve)),
          failing: () => new Promise<number>((_, reject) => (fail = reject)),
        },
      },
    )
    sandbox.exec('').catch(() => {})
    await until(() => finish !== undefined && fail !== undefined)
    await sandbox.close()
    finish(1)
    fail(new Error('too late'))
    await new Promise((resolve) => setTimeout(resolve, 10))
  })
})
