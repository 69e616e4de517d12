/** Collects all garbage there is, where Node was started with --expose-gc. */
export function collectGarbage(): void {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
}
