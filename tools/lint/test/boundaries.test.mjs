import { expect, test } from 'vitest'
import { violation } from '../boundaries.mjs'

test.each([
  ['core', 'interface'],
  ['core', 'native'],
  ['cli', 'core'],
  ['native', 'interface'],
])('%s may use %s', (from, to) => expect(violation(from, to)).toBeUndefined())

test.each([
  ['interface', 'core', 'dependencies point the other way'],
  ['native', 'core', 'dependencies point the other way'],
  ['native', 'policy', 'leaves meet in interface'],
  ['core', 'test-kit', 'private'],
  ['core', 'core', 'does not import itself'],
  ['core', 'unheard-of', 'there is no package'],
])('%s may not use %s', (from, to, why) => expect(violation(from, to)).toContain(why))
