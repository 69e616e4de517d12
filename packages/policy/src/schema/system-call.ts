import { nearest } from '@pyisolate/interface'
import { PolicyError } from '../errors/policy-error.js'
import { systemCallNames } from '../syscalls/names.js'
import { whyNever } from '../syscalls/never.js'
import { defaultProfile } from '../syscalls/profile.js'
import { expectText, type Read } from './read.js'
import type { NameRule } from './rules.js'

const words = "a system call's name, such as sched_yield"

/** One that is taken away from the profile. */
export const deniedCall: Read<NameRule> = (node) => {
  const { text, place } = expectText(node, words)
  if (systemCallNames.includes(text)) return { name: text, place }
  throw new PolicyError('value', place, `there is no system call ${JSON.stringify(text)}`, {
    expected: words,
    suggestion: nearest(text, systemCallNames),
  })
}

/** One that is added: what any sandbox may have, and nothing that would take the ground from under other rules. */
export const allowedCall: Read<NameRule> = (node) => {
  const rule = deniedCall(node)
  const why = whyNotAdded(rule.name)
  if (why === undefined) return rule
  throw new PolicyError('forbidden', rule.place, `${rule.name} can't be allowed: ${why[0]}`, { expected: why[1] })
}

/** Why, and what to do instead. */
function whyNotAdded(name: string): readonly [string, string] | undefined {
  const never = whyNever(name)
  if (never !== undefined) return [never, 'a policy without it']
  if (defaultProfile.byArgument.includes(name))
    return ['the profile has it already with harmless arguments, and no policy can widen that', 'a policy without it']
  if (defaultProfile.ruled.includes(name))
    return ['rules on files and the network decide on it', 'rules under fs and net']
  return undefined
}
