import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseChoice, USAGE, UsageError } from './cli.js'
import { Context } from './context.js'
import type { Figure } from './figure.js'
import { circumstances, type Document } from './report/document.js'
import { table } from './report/table.js'
import type { Suite } from './suite.js'
import { suites } from './suites/index.js'

process.exitCode = await main(process.argv.slice(2))

async function main(argv: readonly string[]): Promise<number> {
  let choice: ReturnType<typeof parseChoice>
  try {
    choice = parseChoice(
      argv,
      suites.map(({ name }) => name),
    )
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${USAGE}`)
    return 64
  }
  if (choice.help) {
    process.stdout.write(USAGE)
    return 0
  }

  const context = new Context({ quick: choice.quick, peers: choice.peers, onStep: progress })
  const around = circumstances(context.interpreter.version)
  const chosen = suites.filter(({ name }) => choice.suites.includes(name))
  const { figures, failed } = await runAll(chosen, context)

  const out = choice.json === '-' ? process.stderr : process.stdout
  const { processor, processors, kernel, load } = around.machine
  out.write(`\n${processors} × ${processor}, Linux ${kernel}, load ${load} before; `)
  out.write(`Node ${around.node}, Python ${around.python}\n\n${table(figures)}\n`)
  for (const { name, limit } of chosen) out.write(`limit of ${name}: ${limit}\n`)
  writeJson(choice.json, { ...around, figures })
  return failed ? 1 : 0
}

/** A suite that fails doesn't keep the others from running. */
async function runAll(chosen: readonly Suite[], context: Context): Promise<{ figures: Figure[]; failed: boolean }> {
  const figures: Figure[] = []
  let failed = false
  for (const suite of chosen) {
    heading = suite.name
    const missing = suite.missing?.()
    if (missing !== undefined) {
      process.stderr.write(`${clear()}${suite.name}: left out, ${missing}\n`)
      continue
    }
    try {
      figures.push(...(await suite.run(context)))
    } catch (error) {
      failed = true
      process.stderr.write(`${clear()}${suite.name} failed: ${error instanceof Error ? error.stack : error}\n`)
    }
  }
  process.stderr.write(clear())
  return { figures, failed }
}

function writeJson(target: string | undefined, document: Document): void {
  if (target === undefined) return
  const text = `${JSON.stringify(document, null, 2)}\n`
  if (target === '-') process.stdout.write(text)
  // Package managers run scripts in the package's folder; the caller means their own.
  else writeFileSync(resolve(process.env.INIT_CWD ?? process.cwd(), target), text)
}

let heading = ''

function progress(text: string): void {
  const line = `${heading}: ${text}`
  process.stderr.write(process.stderr.isTTY ? `${clear()}${line}` : `${line}\n`)
}

function clear(): string {
  return process.stderr.isTTY ? '\r\u001b[K' : ''
}
