import { BpfError } from '../errors/bpf-error.js'
import { ContractRefusedError } from '../errors/contract-refused-error.js'
import { BpfMisuseError } from '../errors/misuse-error.js'
import { type BpfContract, type BpfPolicy, hookNames, type Unenforced } from '../policy.js'
import { calling, type NativePrograms } from './addon.js'
import { fileEntries } from './file-rules.js'
import { encode, mostNetRules, slotCount, words } from './layout.js'
import { abstractKey, abstractValues, netValues } from './net-rules.js'

const ready = 1
const logOnly = 2

/** The base program of each hook, and its map of contract programs (src/bpf/contracts.h). */
const bases: Readonly<Record<BpfContract['hook'], string>> = {
  open: 'pyi_file_open',
  exec: 'pyi_bprm_check',
  unlink: 'pyi_path_unlink',
  rename: 'pyi_path_rename',
  mkdir: 'pyi_path_mkdir',
  connect: 'pyi_connect',
  bind: 'pyi_bind',
  sendto: 'pyi_sendmsg',
}

interface Filled {
  readonly keys: readonly (readonly [map: string, key: Buffer])[]
  readonly hooks: readonly BpfContract['hook'][]
}

/** Generations of policies: a slot is filled while nothing looks at it, and named by one word afterwards. */
export class PolicySlots {
  readonly #native: NativePrograms
  readonly #users: { uses(slot: number): boolean }
  readonly #gracePeriod: () => void
  readonly #filled = new Map<number, Filled>()

  constructor(native: NativePrograms, users: { uses(slot: number): boolean }, gracePeriod: () => void) {
    this.#native = native
    this.#users = users
    this.#gracePeriod = gracePeriod
  }

  /** @throws BpfMisuseError */
  mustHold(slot: number): void {
    if (!this.#filled.has(slot)) throw new BpfMisuseError(`there is no policy in slot ${slot}`)
  }

  put(slot: number, policy: BpfPolicy): readonly Unenforced[] {
    if (!Number.isInteger(slot) || slot < 1 || slot >= slotCount)
      throw new BpfMisuseError(`slot ${slot}: expected 1 to ${slotCount - 1}`)
    if (this.#users.uses(slot)) throw new BpfMisuseError(`slot ${slot} is in force: fill another and swap`)
    if (policy.contractPaths.length > 64)
      throw new BpfMisuseError(`${policy.contractPaths.length} paths in contracts, 64 at most`)
    const files = fileEntries(policy)
    const nets = netValues(policy)
    this.#clear(slot)
    const keys: [string, Buffer][] = []
    const hooks: BpfContract['hook'][] = []
    // First, so that a failure in between finds what to clear.
    this.#filled.set(slot, { keys, hooks })
    try {
      this.#fill(slot, policy, files.entries, nets.values, keys, hooks)
    } catch (error) {
      this.#clear(slot)
      throw error
    }
    return [...files.unenforced, ...nets.unenforced]
  }

  #fill(
    slot: number,
    policy: BpfPolicy,
    files: ReturnType<typeof fileEntries>['entries'],
    nets: readonly Buffer[],
    keys: [string, Buffer][],
    hooks: BpfContract['hook'][],
  ): void {
    for (const contract of policy.contracts ?? []) {
      this.#loadContract(slot, contract)
      hooks.push(contract.hook)
    }
    const update = (map: string, key: Buffer, value: Buffer) => {
      calling(() => this.#native.update(map, key, value))
      keys.push([map, key])
    }
    for (const { dev, ino, value } of files) update('files', encode('pyi_file_key', { slot, dev, ino }), value)
    for (const [name, value] of abstractValues(policy)) {
      const key = abstractKey(slot, name)
      if (key !== undefined) update('abstracts', key, value)
    }
    nets.forEach((value, i) => {
      calling(() => this.#native.update('net_rules', words(slot * mostNetRules + i), value))
    })
    const contractHooks = hooks.reduce((bits, hook) => bits | (1 << hookNames.indexOf(hook)), 0)
    const flags = ready | (policy.logOnly === true ? logOnly : 0)
    const header = encode('pyi_policy', { flags, contract_hooks: contractHooks, net_rules: nets.length })
    calling(() => this.#native.update('policies', words(slot), header))
  }

  #loadContract(slot: number, { hook, instructions, relocations }: BpfContract): void {
    if (instructions.byteLength === 0 || instructions.byteLength % 8 !== 0)
      throw new BpfMisuseError(
        `the contract program of ${hook} has ${instructions.byteLength} bytes: expected 8 each instruction`,
      )
    try {
      calling(() => this.#native.loadContract(bases[hook], `contracts_${hook}`, slot, instructions, relocations))
    } catch (error) {
      if (BpfError.isInstance(error) && error.call === 'load contract')
        throw new ContractRefusedError(hook, error.log, error)
      throw error
    }
  }

  /** A program that read the slot's number before the swap may still be at work with it: it ends first. */
  #clear(slot: number): void {
    const filled = this.#filled.get(slot)
    if (filled === undefined) return
    calling(() => {
      this.#gracePeriod()
      this.#native.update('policies', words(slot), encode('pyi_policy', {}))
      for (const [map, key] of filled.keys) this.#native.remove(map, key)
      for (const hook of filled.hooks) this.#native.remove(`contracts_${hook}`, words(slot))
    })
    this.#filled.delete(slot)
  }
}
