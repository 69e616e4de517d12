import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { contractPaths } from '../compile/contract-paths.js'
import type { Variables } from '../explain/variables.js'
import type { PathPattern } from '../values/path.js'
import { checkPaths } from './check-paths.js'
import {
  type FileRecord,
  fileRecords,
  type NameRecord,
  type NetRecord,
  nameRecords,
  netRecords,
  type UnixRecord,
  unixRecords,
} from './rule-records.js'

/** What maps of BPF programs are filled with, all of it plain data; records are those of the broker table. */
export interface BpfTarget {
  /** To be looked up by the identity of the folder or file that is there; sorted by path. */
  readonly files: readonly FileRecord[]
  readonly nets: readonly NetRecord[]
  readonly unixes: readonly UnixRecord[]
  readonly names: readonly NameRecord[]
  /** At most 64: bit i of a contract frame's path bits is set when pattern i fits. */
  readonly contractPaths: readonly PathPattern[]
}

/** @throws PolicyTargetError */
export function compileBpf(policy: CompiledPolicy, variables: Variables = {}): BpfTarget {
  checkPaths(variables)
  return {
    files: fileRecords(policy, variables),
    nets: netRecords(policy),
    unixes: unixRecords(policy),
    names: nameRecords(policy),
    contractPaths: contractPaths(policy.contracts),
  }
}
