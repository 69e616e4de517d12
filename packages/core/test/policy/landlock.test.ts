// Rulesets made of policies, in force: what the kernel answers is what `explain` says, by every rule that is called exact.
import { constants } from 'node:os'
import { compileLandlock, explain, type InexactRule, type NumberedRule, numberedRules } from '@pyisolate/policy'
import { skipUnless } from '@pyisolate/test-kit'
import { expect, it } from 'vitest'
import { FUZZ_SEED, type Random, randomNumbers } from '../../../policy/test/random.js'
import { everyTrial, layOut, rulesetLines, somePolicy, type Tree, type Trial, tryLandlock } from './landlock-support.js'
import { folder } from './support.js'

const { EACCES, ENOEXEC } = constants.errno
const policies = 120
const perPolicy = 60

/** Whether a rule, in words, is about a path or something below it. */
function coversPath({ text }: NumberedRule, path: string): boolean {
  const whole = text.endsWith('/**') ? text.slice(0, -'/**'.length) : undefined
  return text === path || whole === path || (whole !== undefined && path.startsWith(`${whole}/`))
}

/** A policy, what is tried under its ruleset, and what has to be so of each answer. */
function somePlan(random: Random, tree: Tree, trials: readonly Trial[], abi: number) {
  const policy = somePolicy(random, tree)
  const target = compileLandlock(policy)
  const rules = numberedRules(policy)
  const tried = Array.from({ length: perPolicy }, () => trials[random(trials.length)]!)
  const onFolders = rules.filter(({ deny, text }) => !deny && tree.folders.includes(text))
  // What is so of folders alone excuses no rule about a file, and no denial below none.
  const isSo = ({ rule, when }: InexactRule): boolean => {
    const { deny, text } = rules[rule]!
    return when === 'always' || onFolders.some((one) => one.text === text || (deny && text.startsWith(`${one.text}/`)))
  }
  const inexact = (effect: 'looser' | 'stricter') =>
    new Set(target.inexact.filter((one) => one.effect === effect && isSo(one)).map(({ rule }) => rule))
  const [looser, stricter] = [inexact('looser'), inexact('stricter')]

  /** Rules that let it pass though the policy denies it: each that could have must be known as looser. */
  const passing = ({ operation, by }: Trial) =>
    rules.filter(({ section, text }) => {
      if (!by.includes(section)) return false
      if (!('path' in operation)) return true
      const at = text.endsWith('/**') ? text.slice(0, -'/**'.length) : text
      return `${operation.path}/`.startsWith(`${at}/`)
    })

  const check = (
    trial: Trial,
    errno: number,
    free: number,
  ): 'allowed' | 'denied' | 'looser' | 'stricter' | 'unruled' => {
    const said = explain(policy, trial.operation)
    const what = `ABI ${abi}, ${trial.line}: errno ${errno}, explain ${JSON.stringify(said)}, ${JSON.stringify(target)}`
    expect([free, EACCES], what).toContain(errno)
    const passed = errno !== EACCES
    if (abi < trial.ruledFrom) {
      expect(passed, what).toBe(true)
      return 'unruled'
    }
    if (passed === said.allowed) return passed ? 'allowed' : 'denied'
    if (passed) {
      const culprits = said.rule === undefined ? passing(trial).map(({ number }) => number) : [said.rule]
      const known = culprits.filter((rule) => looser.has(rule))
      // Of addresses a rule on other ones is no culprit: one that is known is enough.
      if (said.rule === undefined && 'path' in trial.operation) expect(known, what).toEqual(culprits)
      expect(known.length, what).toBeGreaterThan(0)
      return 'looser'
    }
    // Of a file or folder that is there nothing is taken away.
    expect(trial.line, what).toMatch(/\t(?:create|mkdir|symlink|unlink|rmdir|rename)\t/)
    const { path } = trial.operation as { readonly path: string }
    const allowing = rules.filter((rule) => rule.section === 'fs.write' && coversPath(rule, path))
    expect(
      allowing.filter(({ number }) => !stricter.has(number)),
      what,
    ).toEqual([])
    return 'stricter'
  }
  return { lines: [`domain\t${abi}`, ...rulesetLines(target), ...tried.map(({ line }) => line)], tried, check }
}

it('the kernel holds what explain says, of every ABI, but for rules that are named as inexact', (context) => {
  const tree = layOut(folder())
  const trials = everyTrial(tree)
  // What becomes of each without a ruleset: nobody else may deny it.
  const { abi, errnos: free } = tryLandlock(['domain\t0', ...trials.map(({ line }) => line)])
  skipUnless(context, 'landlock', 'rulesets are put in force', abi > 0)
  for (const [i, { line }] of trials.entries())
    if (line.includes('\t/')) expect(free[i], line).toBe(line.includes('\texecute\t') ? ENOEXEC : 0)
    else expect(free[i], line).not.toBe(EACCES)

  const random = randomNumbers(FUZZ_SEED)
  const plans = Array.from({ length: policies }, (_, i) => somePlan(random, tree, trials, 1 + (i % abi)))
  const { errnos } = tryLandlock(plans.flatMap(({ lines }) => lines))
  expect(errnos.length).toBe(policies * perPolicy)
  const seen: Record<string, number> = {}
  for (const [i, { tried, check }] of plans.entries())
    for (const [k, trial] of tried.entries()) {
      const place = trials.indexOf(trial)
      let answer: string
      try {
        answer = check(trial, errnos[i * perPolicy + k]!, free[place]!)
      } catch (cause) {
        throw new Error(`with PYISOLATE_FUZZ_SEED=${FUZZ_SEED}: ${(cause as Error).message}`, { cause })
      }
      const kind = `${trial.operation.kind} ${answer}`
      seen[kind] = (seen[kind] ?? 0) + 1
    }
  // Every kind was both allowed and denied; Landlock alone was looser and stricter where it is said to be.
  for (const kind of ['read', 'write', 'exec', ...(abi >= 4 ? ['connect', 'bind'] : [])])
    for (const answer of ['allowed', 'denied', 'looser'])
      expect(seen[`${kind} ${answer}`] ?? 0, `${kind} ${answer}, ${JSON.stringify(seen)}`).toBeGreaterThan(5)
  expect(seen['write stricter'] ?? 0, JSON.stringify(seen)).toBeGreaterThan(5)
})
