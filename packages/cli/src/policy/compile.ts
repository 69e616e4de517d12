import { createHash } from 'node:crypto'
import { nearest } from '@pyisolate/interface'
import {
  type BpfTarget,
  type CompiledPolicy,
  compileAudit,
  compileBpf,
  compileBrokerTable,
  compileLandlock,
  compileLimits,
  compileSyscalls,
  numberedRules,
  readBrokerTable,
  type Variables,
} from '@pyisolate/policy'
import { UsageError } from '../errors/usage-error.js'
import { readableJson } from './json.js'
import { readableFile, readableNet, readableUnix } from './records.js'

type Compile = (policy: CompiledPolicy, variables: Variables) => unknown

/** What each enforcer takes, in words where it takes bytes. */
const targets: Readonly<Record<string, Compile>> = {
  ir: (policy) => policy,
  broker: (policy, variables) => {
    const table = compileBrokerTable(policy, { variables })
    return {
      bytes: table.length,
      sha256: createHash('sha256').update(table).digest('hex'),
      ...readableRecords(readBrokerTable(table)),
      rules: rules(policy),
    }
  },
  landlock: (policy, variables) => ({ ...compileLandlock(policy, variables), policyRules: rules(policy) }),
  seccomp: (policy) => ({ profile: policy.syscalls.profile, ...compileSyscalls(policy) }),
  bpf: (policy, variables) => ({ ...readableRecords(compileBpf(policy, variables)), rules: rules(policy) }),
  limits: (policy) => compileLimits(policy),
  audit: (policy) => compileAudit(policy),
}

export const targetNames: readonly string[] = Object.keys(targets)

/** As JSON. @throws UsageError */
export function compileTarget(name: string, policy: CompiledPolicy, variables: Variables): string {
  if (!Object.hasOwn(targets, name)) {
    const near = nearest(name, targetNames)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw new UsageError(`there is no target ${JSON.stringify(name)}: expected one of ${targetNames.join(', ')}${hint}`)
  }
  return `${readableJson(targets[name]!(policy, variables))}\n`
}

function readableRecords<T extends Pick<BpfTarget, 'files' | 'nets' | 'unixes'>>({ files, nets, unixes, ...rest }: T) {
  return {
    files: files.map(readableFile),
    nets: nets.map(readableNet),
    unixes: unixes.map(readableUnix),
    ...rest,
  }
}

/** What the numbers in records mean. */
function rules(policy: CompiledPolicy) {
  return numberedRules(policy).map(({ number, section, text, place }) => ({
    number,
    section,
    text,
    place: `${place.file}:${place.line}:${place.column}`,
  }))
}
