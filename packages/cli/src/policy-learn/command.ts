import { writeFile } from 'node:fs/promises'
import { createSupervisor, type Denial, GuestError, PyIsolateError } from '@pyisolate/core'
import { compilePolicy } from '@pyisolate/policy'
import { readArguments } from '../arguments.js'
import { UsageError } from '../errors/usage-error.js'
import { ExitCode } from '../exit-code.js'
import { setArguments, waitForThreads } from '../run/guest-code.js'
import { readProgram } from '../run/program.js'
import { say } from '../say.js'
import type { Terminal } from '../terminal.js'
import { learnHelp } from './help.js'
import { LearnedPolicy } from './learned-policy.js'

const flags = { out: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } } as const

/** What a program is learned under: a scratch folder, so that what it does there is `$TMP`'s. */
const ground = 'version: 1\nname: learn\nextends: stdlib.readonly\nfs: {read: [$TMP/**], write: [$TMP/**]}\n'

/** `pyisolate policy learn`. @throws UsageError */
export async function policyLearn(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals, rest } = readArguments(argv, flags, 'policy learn')
  if (values.help) return say(terminal.stdout, learnHelp)
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0)
    throw new UsageError('policy learn needs one SCRIPT, or - for standard input; see pyisolate policy learn --help')
  const program = await readProgram(file, terminal.stdin)
  const seen: Denial[] = []
  await using supervisor = createSupervisor({ pool: { size: 0 } })
  try {
    const sandbox = await supervisor.spawn('learn', {
      policy: compilePolicy(ground, { file: 'learn' }),
      learn: true,
      limits: { callTime: Number.POSITIVE_INFINITY, output: Number.MAX_SAFE_INTEGER },
      onDenied: (denial) => seen.push(denial),
    })
    // Its own output goes where it doesn't mix with the policy.
    const own = values.out === undefined ? terminal.stderr : terminal.stdout
    sandbox.stdout.pipe(own, { end: false })
    sandbox.stderr.pipe(terminal.stderr, { end: false })
    const [stdlib, scratch] = await sandbox.eval<[string, string]>(
      "[__import__('os').path.dirname(__import__('os').__file__), __import__('os').environ['TMPDIR']]",
    )
    await sandbox.eval(setArguments([file, ...rest]))
    const failed = await raised(sandbox.exec(program.code, { filename: program.filename }))
    await sandbox.eval(waitForThreads)
    await sandbox.close()
    const learned = new LearnedPolicy({ stdlib, scratch })
    for (const denial of seen) learned.see(denial)
    if (values.out === undefined) await say(terminal.stdout, String(learned))
    else await write(values.out, String(learned))
    if (failed === undefined) return ExitCode.ok
    await say(
      terminal.stderr,
      `${failed.traceback}pyisolate: it ended early, so the policy may lack what comes later\n`,
    )
    return ExitCode.exception
  } catch (error) {
    if (!PyIsolateError.isInstance(error) || UsageError.isInstance(error)) throw error
    await say(terminal.stderr, `pyisolate: ${error.message}\n`)
    return ExitCode.failure
  }
}

async function raised(run: Promise<void>): Promise<GuestError | undefined> {
  try {
    await run
    return undefined
  } catch (error) {
    if (!GuestError.isInstance(error)) throw error
    return error
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (cause) {
    throw new UsageError(`--out: ${file} can't be written: ${(cause as Error).message}`, { cause })
  }
}
