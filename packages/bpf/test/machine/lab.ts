import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BpfFileRule, type BpfPolicy, type DenialEvent, type LsmPrograms, loadLsm } from '../../src/index.js'

/** What the scenarios share: the loaded programs and a fresh folder each. */
export class Lab {
  readonly lsm: LsmPrograms = loadLsm()
  readonly root = mkdtempSync(join(tmpdir(), 'pyi-bpf-'))
  #slot = 0
  #sandbox = 0n

  /** A number that no other scenario uses. */
  slot(): number {
    this.#slot += 1
    return this.#slot
  }

  sandbox(): bigint {
    this.#sandbox += 1n
    return this.#sandbox
  }

  folder(name: string): string {
    const folder = join(this.root, name)
    mkdirSync(folder, { recursive: true })
    return folder
  }

  file(path: string, text = 'text'): string {
    writeFileSync(path, text)
    return path
  }

  denials(sandbox: bigint): DenialEvent[] {
    return this.lsm
      .events()
      .filter((event): event is DenialEvent => event.kind === 'denied' && event.sandbox === sandbox)
  }
}

export interface Scenario {
  readonly name: string
  run(lab: Lab): Promise<void>
}

export const read = 1
export const write = 2
export const exec = 4

export function policy(part: Partial<BpfPolicy>): BpfPolicy {
  return { files: [], nets: [], unixes: [], contractPaths: [], ...part }
}

export function allow(path: string, ops: number, rule: number, subtree = true): BpfFileRule {
  return { path, subtree, ops, deny: false, rule }
}

export function deny(path: string, rule: number, subtree = true): BpfFileRule {
  return { path, subtree, ops: 7, deny: true, rule }
}
