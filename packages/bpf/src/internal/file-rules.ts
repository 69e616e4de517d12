import { statfsSync, statSync } from 'node:fs'
import type { BpfPolicy, Unenforced } from '../policy.js'
import { encode, noRule, words } from './layout.js'

/** Whose inodes have other numbers in the kernel than stat(2) says; linux/magic.h. */
const unlike: Readonly<Record<number, string>> = { 2035054128: 'overlayfs', 2435016766: 'btrfs' }
const columns = 6
const unixColumns = 3

export interface FileEntry {
  readonly dev: number
  readonly ino: bigint
  /** struct pyi_file_rules */
  readonly value: Buffer
}

class Rules {
  readonly allow = { itself: new Array<number>(columns).fill(noRule), below: new Array<number>(columns).fill(noRule) }
  readonly deny = { itself: [noRule, noRule], below: [noRule, noRule] }
  readonly bits = { itself: 0n, below: 0n }
  constructor(
    readonly dev: number,
    readonly ino: bigint,
  ) {}

  /** `first`: the column of the lowest bit of `ops`. */
  add(rule: { ops: number; deny: boolean; rule: number; subtree: boolean }, first: number): void {
    const where = rule.subtree ? 'below' : 'itself'
    if (rule.deny) lower(this.deny[where], first === 0 ? 0 : 1, rule.rule)
    else for (let bit = 0; bit < 3; bit++) if (rule.ops & (1 << bit)) lower(this.allow[where], first + bit, rule.rule)
  }

  entry(): FileEntry {
    const value = encode('pyi_file_rules', {
      allow_itself: words(...this.allow.itself),
      allow_below: words(...this.allow.below),
      deny_itself: words(...this.deny.itself),
      deny_below: words(...this.deny.below),
      bits_itself: this.bits.itself,
      bits_below: this.bits.below,
    })
    return { dev: this.dev, ino: this.ino, value }
  }
}

function lower(least: number[], column: number, rule: number): void {
  least[column] = Math.min(least[column]!, rule)
}

/** From what stat(2) says (sysmacros.h) to what the kernel has: 12 bits of major number, 20 of minor (linux/kdev_t.h). */
export function kernelDevice(dev: bigint): number {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  return Number(((major << 20n) | (minor & 0xfffffn)) & 0xffff_ffffn)
}

/** Rules by the identity of what is at their paths now; symbolic links are followed. */
export function fileEntries(policy: BpfPolicy): { entries: FileEntry[]; unenforced: Unenforced[] } {
  const byIdentity = new Map<string, Rules>()
  const unenforced: Unenforced[] = []
  const at = (path: string): Rules | Pick<Unenforced, 'why' | 'what'> => {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return { why: 'absent', what: path }
    const kind = unlike[Number(statfsSync(path).type)]
    if (kind !== undefined) return { why: 'file-system', what: kind }
    const key = `${stat.dev}:${stat.ino}`
    const known = byIdentity.get(key) ?? new Rules(kernelDevice(stat.dev), stat.ino)
    byIdentity.set(key, known)
    return known
  }
  const add = (rule: BpfPolicy['files'][number], first: number): void => {
    const rules = at(rule.path)
    if (rules instanceof Rules) rules.add(rule, first)
    else unenforced.push({ rule: rule.rule, deny: rule.deny, ...rules })
  }
  for (const rule of policy.files) add(rule, 0)
  for (const rule of policy.unixes) if (!rule.abstract) add(rule, unixColumns)
  policy.contractPaths.forEach(({ path, subtree }, bit) => {
    const rules = at(path)
    // A contract about a path that isn't there: no file is it.
    if (rules instanceof Rules) rules.bits[subtree ? 'below' : 'itself'] |= 1n << BigInt(bit)
  })
  return { entries: [...byIdentity.values()].map((rules) => rules.entry()), unenforced }
}
