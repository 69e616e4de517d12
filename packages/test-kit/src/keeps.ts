/** A vitest test, as far as it matters here. */
interface Task {
  readonly meta: object
}

/**
 * Marks a test as one that tries what keeps a rule: `npm test` lists them by rule, with what became of each.
 * @param rule such as `fs.read`, `limits.memory`
 * @param keeper who is to keep it, as `sandbox.enforcement` names it
 * @param where this machine's own kernel unless it says otherwise
 */
export function keeps(task: Task, rule: string, keeper: string, where = 'here'): void {
  Object.assign(task.meta, { keeps: { rule, keeper, where } })
}
