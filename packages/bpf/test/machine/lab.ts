import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BpfFileRule, type BpfPolicy, type DenialEvent, type LsmPrograms, loadLsm } from '../../src/index.js'
import { offered } from './scenario.js'
import { Subject } from './subject.js'

/** What the scenarios share: the loaded programs, and numbers and folders that no other scenario uses. */
export class Lab {
  readonly lsm: LsmPrograms = loadLsm()
  readonly root = mkdtempSync(join(tmpdir(), 'pyi-bpf-'))
  readonly namesThreads: boolean
  #slot = 0
  #sandbox = 0n

  constructor() {
    this.namesThreads = offered({ needs: 'thread-label' }, release())
  }

  slot(): number {
    this.#slot += 1
    return this.#slot
  }

  emptySlot(): number {
    const slot = this.slot()
    this.lsm.putPolicy(slot, policy({}))
    return slot
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

  /** A new process, all of it in a sandbox of its own. Events of before are gone. */
  async confined(part: Partial<BpfPolicy>): Promise<{ subject: Subject; sandbox: bigint; slot: number }> {
    const slot = this.slot()
    const sandbox = this.sandbox()
    const unenforced = this.lsm.putPolicy(slot, policy(part))
    if (unenforced.length > 0) throw new Error(`not enforced: ${JSON.stringify(unenforced)}`)
    const subject = new Subject()
    await subject.id('main')
    this.lsm.label(subject.pid, { sandbox, slot })
    this.lsm.events()
    return { subject, sandbox, slot }
  }

  /** Since the last call. */
  denials(sandbox: bigint): DenialEvent[] {
    return this.lsm
      .events()
      .filter((event): event is DenialEvent => event.kind === 'denied' && event.sandbox === sandbox)
  }
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
