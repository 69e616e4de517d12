// Runs the tests of every package, one vitest process each, and ends with one line that sums them up.
//   node tools/test/run.mjs [--as-user] [--summary FILE] [package…] [-- vitest arguments]
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runAsUser } from './as-user.mjs'
import { add, closingLine, countReport, keptLines, NONE } from './counts.mjs'
import { byCompany, testedPackages } from './packages.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')

function parse(argv) {
  const split = argv.indexOf('--')
  const own = split < 0 ? argv : argv.slice(0, split)
  const options = { names: [], forwarded: split < 0 ? [] : argv.slice(split + 1), asUser: false, summary: undefined }
  for (let i = 0; i < own.length; i++) {
    if (own[i] === '--as-user') options.asUser = true
    else if (own[i] === '--summary') options.summary = own[++i]
    else options.names.push(own[i])
  }
  return options
}

/** With `company` its output is shown once it is over, so that no two are mixed. */
function runPackage({ name, folder }, { reports, forwarded, company }) {
  const report = path.join(reports, `${name}.json`)
  const args = [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...forwarded]
  process.stdout.write(company ? `… ${name}\n` : `\n== ${name}\n`)
  const output = company ? 'pipe' : 'inherit'
  const said = []
  return new Promise((resolve) => {
    const done = (code) => {
      if (company) process.stdout.write(Buffer.concat([Buffer.from(`\n== ${name}\n`), ...said]))
      resolve(countReport(report, code))
    }
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', output, output] })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk))
    child.on('error', () => done(1))
    child.on('close', (code) => done(code ?? 1))
  })
}

/** Two at a time where there are two processors, in order; the results in the order of `packages`. */
async function runBeside(packages, options) {
  const results = []
  let next = 0
  const lane = async () => {
    while (next < packages.length) {
      const at = next++
      results[at] = await runPackage(packages[at], { ...options, company: true })
    }
  }
  await Promise.all(Array.from({ length: Math.min(2, os.availableParallelism()) }, lane))
  return results
}

async function main() {
  const options = parse(process.argv.slice(2))
  const known = testedPackages(root)
  const unknown = options.names.filter((name) => !known.some((one) => one.name === name))
  if (unknown.length > 0)
    throw new Error(`no such package: ${unknown.join(', ')}; there are ${known.map((one) => one.name).join(', ')}`)
  const chosen = options.names.length > 0 ? known.filter(({ name }) => options.names.includes(name)) : known

  const reports = fs.mkdtempSync(path.join(os.tmpdir(), 'pyisolate-reports-'))
  let total = NONE
  const skips = []
  const failures = []
  const kept = []
  try {
    const { beside, alone } = byCompany(chosen)
    const results = await runBeside(beside, { reports, forwarded: options.forwarded })
    for (const one of alone) results.push(await runPackage(one, { reports, forwarded: options.forwarded }))
    for (const [at, one] of [...beside, ...alone].entries()) {
      const result = results[at]
      total = add(total, result.counts)
      skips.push(...result.skips.map((test) => `${one.name}: ${test}`))
      failures.push(...result.failures.map((test) => `${one.name}: ${test}`))
      kept.push(...result.kept)
    }
    if (options.asUser) {
      const {
        failures: theirs,
        kept: keptThere = [],
        ...counts
      } = await runAsUser({
        root,
        names: options.names,
        forwarded: options.forwarded,
      })
      total = add(total, counts)
      failures.push(...theirs.map((test) => `as an ordinary user: ${test}`))
      kept.push(...keptThere.map((one) => ({ ...one, where: `${one.where} as an ordinary user` })))
    }
  } finally {
    fs.rmSync(reports, { recursive: true, force: true })
  }
  if (options.summary) fs.writeFileSync(options.summary, JSON.stringify({ ...total, failures, kept }))
  if (kept.length > 0 && !options.summary)
    process.stdout.write(
      `\nrules, and who was seen to keep them:\n${keptLines(kept)
        .map((line) => `  ${line}\n`)
        .join('')}`,
    )
  // A skip is never silent.
  if (skips.length > 0) process.stdout.write(`\nskipped:\n${skips.map((text) => `  ${text}\n`).join('')}`)
  // Last, where a log that was cut short still has them.
  if (failures.length > 0) process.stdout.write(`\nfailed:\n${failures.map((text) => `  ${text}\n`).join('')}`)
  // The closing line stands once in a log: a run within a run leaves it to the outer one.
  if (!options.summary) process.stdout.write(`\n${closingLine(total)}\n`)
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}

await main()
