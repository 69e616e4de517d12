import type { Expression } from '../contracts/ast.js'
import { PolicyError } from '../errors/policy-error.js'
import type { Contract } from '../schema/contract.js'
import type { PathPattern } from '../values/path.js'

/** In the kernel each path has a bit of one word. */
const mostPaths = 64

/**
 * The paths that contracts name, in the order they first appear, each once: a path's index is its bit in a contract's
 * frame. @throws PolicyError
 */
export function contractPaths(contracts: readonly Contract[]): readonly PathPattern[] {
  const found: PathPattern[] = []
  for (const { assert, place } of contracts) {
    for (const { path, subtree } of pathsIn(assert)) {
      if (!found.some((known) => known.path === path && known.subtree === subtree)) found.push({ path, subtree })
    }
    if (found.length > mostPaths)
      throw new PolicyError('expression', place, `with this contract they name ${found.length} paths`, {
        expected: `at most ${mostPaths} in all contracts`,
      })
  }
  return found
}

/** As they are written, from left to right. */
function pathsIn(expression: Expression): readonly PathPattern[] {
  if (expression.op === 'in-path') return [expression]
  if (expression.op === 'not') return pathsIn(expression.of)
  if (expression.op === 'in-network' || !('left' in expression)) return []
  return [...pathsIn(expression.left), ...pathsIn(expression.right)]
}
