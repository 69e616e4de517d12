import { describe, expect, it } from 'vitest'
import { codePayload, initPayload } from '../../src/internal/frames/request.js'
import { defaultBudget } from '../../src/internal/values/budget.js'
import { encodeValue } from '../../src/internal/values/encode.js'

const texts = [0, 1, 23, 24, 255, 256, 65_535, 65_536].flatMap((length) =>
  ['x', 'é', '🦔'].map((one) => one.repeat(length)),
)

describe('the payload of a request', () => {
  it.each(texts.map((text) => [Buffer.byteLength(text), text] as const))(
    'of code of %i bytes is as of any value',
    (_bytes, text) => {
      expect(Buffer.from(codePayload(text, '<exec>', defaultBudget))).toEqual(
        Buffer.from(encodeValue({ code: text, filename: '<exec>' }, defaultBudget)),
      )
    },
  )

  it.each([
    [{}, []],
    [{ x: [1, 2.5, null], ключ: { y: new Set(['z']) } }, ['f', 'g']],
  ])('of init is as of any value', (inputs, functions) => {
    const limits = { memory: 2 ** 28, cpuSeconds: 1.5 }
    const value = { isolation: 'process', limits, inputs, functions, name: 'nämé' }
    const encoded = { ...value, limits: encodeValue(limits, defaultBudget) }
    expect(Buffer.from(initPayload(encoded))).toEqual(Buffer.from(encodeValue(value, defaultBudget)))
  })

  it('refuses what cannot cross, and says where it is', () => {
    expect(() => codePayload('a\ud800b', '<exec>', defaultBudget)).toThrow(/^value at \$\.code: .*lone surrogate/)
    expect(() => codePayload('x'.repeat(100), '<exec>', { ...defaultBudget, bytes: 100 })).toThrow(/100 are allowed/)
    const init = { name: 'n', isolation: 'process', limits: encodeValue({}, defaultBudget), functions: [] }
    expect(() => initPayload({ ...init, inputs: { x: [() => 1] } })).toThrow(/^value at \$\.inputs\.x\[0\]: /)
  })
})
