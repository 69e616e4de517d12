import type { CompiledPolicy } from '../../compile/compiled-policy.js'
import { contractPaths } from '../../compile/contract-paths.js'
import { rulesIn } from '../../compile/numbered-rules.js'
import { PolicyError } from '../../errors/policy-error.js'
import type { Contract } from '../../schema/contract.js'
import { type Hook, hookNames } from '../operands.js'
import { Assembler, type Program } from './assembler.js'
import { compileExpression, frame, mostLevels, TooDeep, task, value } from './compile-expression.js'
import { actions, eventBytes, helper, sandboxAt, violationKind } from './layout.js'

export interface ContractProgram extends Program {
  readonly hook: Hook
}

/** Of one program: far below what the kernel's verifier looks at (a million), far above what people write. */
const mostInstructions = 30_000
const refused = -1 // EPERM
const sigkill = 9

/**
 * The contracts of each hook as one eBPF program, which needs no compiler at run time and runs in the kernel and in the
 * broker alike: 0 when all hold, or only logs were broken; else -EPERM. What is broken is an event, in the order it was
 * written. @throws PolicyError for a contract that is too large
 */
export function compileContracts(policy: CompiledPolicy): readonly ContractProgram[] {
  const paths = contractPaths(policy.contracts)
  const all = rulesIn(policy, 'contracts')
  return hookNames.flatMap((hook, index) => {
    const own = all.filter(({ rule }) => rule.on === hook)
    if (own.length === 0) return []
    const code = new Assembler()
    begin(code)
    for (const { number, rule } of own) {
      const next = code.label()
      tryCompile(rule, () => compileExpression(code, rule.assert, paths))
      code.jumpImmediate('ne', value, 0, next)
      violated(code, number, index, rule)
      code.place(next)
      if (code.length > mostInstructions) throw tooLarge(rule, `more than ${mostInstructions} instructions for a hook`)
    }
    code.move(0, 0)
    code.exit()
    const program = code.finish()
    if (program === undefined) throw tooLarge(own.at(-1)!.rule, 'a jump that is too far')
    return [{ hook, ...program }]
  })
}

/** The storage of this task; one without is nobody's. */
function begin(code: Assembler): void {
  const labelled = code.label()
  code.call(helper.currentTask)
  code.copy(2, 0)
  code.map(1, 'tasks')
  code.move(3, 0)
  code.move(4, 0)
  code.call(helper.taskStorageGet)
  code.jumpImmediate('ne', 0, 0, labelled)
  code.move(0, 0)
  code.exit()
  code.place(labelled)
  code.copy(task, 0)
}

function violated(code: Assembler, rule: number, hook: number, { action }: Contract): void {
  const at = -eventBytes
  code.storeImmediate('word', frame, at, violationKind)
  code.storeImmediate('word', frame, at + 4, rule)
  code.load('double', value, task, sandboxAt)
  code.store('double', frame, at + 8, value)
  code.storeImmediate('word', frame, at + 16, hook)
  code.storeImmediate('word', frame, at + 20, actions.indexOf(action))
  code.storeImmediate('double', frame, at + 24, 0)
  code.map(1, 'events')
  code.copy(2, frame)
  code.immediate('add', 2, at)
  code.move(3, eventBytes)
  code.move(4, 0)
  code.call(helper.ringbufOutput)
  if (action === 'log') return
  if (action === 'kill') {
    code.move(1, sigkill)
    code.call(helper.sendSignal)
  }
  code.move(0, refused)
  code.exit()
}

function tryCompile(contract: Contract, compile: () => void): void {
  try {
    compile()
  } catch (error) {
    if (error instanceof TooDeep) throw tooLarge(contract, `more than ${mostLevels} operators inside each other`)
    throw error
  }
}

function tooLarge({ name, place }: Contract, what: string): PolicyError {
  return new PolicyError('expression', place, `the contract ${name} is too large: ${what}`, {
    expected: 'a smaller one',
  })
}
