/** Whether a rule on a module is one on another: `os` covers `os.path`. */
export function coversModule(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`)
}
