/** Waits for something without an event: looks again every few milliseconds, up to `timeout` of them. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeout = 5000,
  what = 'the condition',
): Promise<void> {
  const end = performance.now() + timeout
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come true within ${timeout} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
