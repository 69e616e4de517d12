import fs from 'node:fs'

export const NONE = { passed: 0, failed: 0, skipped: 0 }

export function add(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/** The closing line that people and CI read. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/**
 * Counts a vitest JSON report. A file that could not be loaded has no tests but failed all the same, and so did
 * a run that ended badly though each test in its report passed (an unhandled rejection, a crash, no report).
 */
export function countReport(file, exitCode) {
  let report
  try {
    report = JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return { counts: { ...NONE, failed: 1 }, skips: [], failures: ['the run ended without a report'], kept: [] }
  }
  const unloaded = report.testResults.filter(
    (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
  )
  const tests = report.testResults.flatMap((suite) => suite.assertionResults)
  const count = (...states) => tests.filter((test) => states.includes(test.status)).length
  const failed = count('failed') + unloaded.length
  const counts = {
    passed: count('passed'),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: count('pending', 'skipped', 'todo', 'disabled'),
  }
  const skips = tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName)
  const failures = [
    ...unloaded.map((suite) => `${suite.name}: ${firstLine(suite.message)}`),
    ...tests
      .filter((test) => test.status === 'failed')
      .map((test) => `${test.fullName}: ${firstLine(test.failureMessages?.[0])}`),
  ]
  if (failures.length < counts.failed) failures.push(`the run ended with code ${exitCode} though its tests passed`)
  // What tests say of themselves by the test kit's keeps().
  const kept = tests.flatMap(({ meta, status }) => (meta?.keeps === undefined ? [] : [{ ...meta.keeps, status }]))
  return { counts, skips, failures, kept }
}

/** Rule by rule, by whom it is kept where, and whether each was seen to be: lines of text. */
export function keptLines(kept) {
  const states = new Map()
  for (const { rule, keeper, where, status } of kept) {
    const keepers = states.get(rule) ?? new Map()
    states.set(rule, keepers)
    const places = keepers.get(keeper) ?? []
    keepers.set(keeper, places)
    places.push(status === 'passed' ? where : `${where}: ${status.toUpperCase()}`)
  }
  const wide = Math.max(0, ...[...states.keys()].map((rule) => rule.length))
  return [...states].flatMap(([rule, keepers]) =>
    [...keepers].map(
      ([keeper, places]) => `${rule.padEnd(wide)}  ${keeper.padEnd(10)}  ${[...new Set(places)].join(', ')}`,
    ),
  )
}

function firstLine(text = '') {
  return text.split('\n', 1)[0]
}
