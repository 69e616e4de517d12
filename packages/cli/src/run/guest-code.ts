/**
 * As `python FILE` does at its end: waits for threads that are not daemons, then runs what `threading` has to
 * (executors end there). An expression, so that nothing is bound; a program that never imported `threading`
 * doesn't pay for it.
 */
export const waitForThreads =
  "(lambda threading: None if threading is None else threading._shutdown())(__import__('sys').modules.get('threading'))"

/** Sets `sys.argv`. JSON's string literals are Python's as well: nothing that `JSON.stringify` escapes means another thing there. */
export function setArguments(argv: readonly string[]): string {
  return `__import__('sys').__setattr__('argv', ${JSON.stringify(argv)})`
}
