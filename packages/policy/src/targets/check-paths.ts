import { PolicyTargetError } from '../errors/policy-target-error.js'
import type { Variables } from '../explain/variables.js'
import { isProc, pathFault } from '../values/path.js'
import type { View } from './broker-table.js'

/** What is put into a target beside the policy is held to the policy's own check. @throws PolicyTargetError */
export function checkPaths(variables: Variables, views: readonly View[] = []): void {
  for (const [name, folder] of Object.entries(variables)) check(`the variable $${name}`, folder)
  for (const { guest, host } of views) {
    check('a view', guest)
    check('a view', host)
    if (views.filter((other) => other.guest === guest).length > 1)
      throw new PolicyTargetError(`two views of ${guest}`, 'one host folder for each guest folder')
  }
}

function check(what: string, path: string | undefined): void {
  if (path === undefined) return
  const wrong = isProc(path) ? `${path} is in procfs` : pathFault(path)
  if (wrong !== undefined) throw new PolicyTargetError(`${what}: ${wrong}`, 'an absolute, normal path outside of /proc')
}
