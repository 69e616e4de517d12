import { DF, DF_1, DT, Elf, EM_X86_64, ET, PF, PT } from './elf.js'
import { MachineCode } from './machine-code.js'

/** A binary and what is known of it without looking. */
export interface Subject {
  readonly path: string
  readonly kind: 'executable' | 'library'
  /** Whose code is in it: each name stands for the functions whose symbol matches. Every part must be protected. */
  readonly parts: Readonly<Record<string, RegExp>>
  /** Protections that a profile has and this binary can't: profile, protection, reason. */
  readonly exempt?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

interface Evidence {
  readonly subject: Subject
  readonly elf: Elf
  readonly code: MachineCode
}

export interface Protection {
  readonly name: string
  /** Its only evidence is in machine code, of which we read x86-64's. */
  readonly onX64Only?: boolean
  /** What is missing, or undefined when the protection is there. */
  lack(evidence: Evidence): string | undefined
}

export const isX64 = (elf: Elf) => elf.machine === EM_X86_64
const flags = (elf: Elf) => ({ df: elf.dynamic.get(DT.FLAGS) ?? 0, df1: elf.dynamic.get(DT.FLAGS_1) ?? 0 })

/** The parts for which `count` finds nothing. */
function partsWithout({ subject }: Evidence, what: string, count: (named: RegExp) => number): string | undefined {
  const bare = Object.entries(subject.parts).filter(([, named]) => count(named) === 0)
  return bare.length > 0 ? `${what} in: ${bare.map(([part]) => part).join(', ')}` : undefined
}

const PIE: Protection = {
  name: 'position independence',
  lack({ elf, subject }) {
    if (elf.type !== ET.DYN) return 'linked to fixed addresses'
    return subject.kind === 'executable' && !(flags(elf).df1 & DF_1.PIE) ? 'not marked as an executable' : undefined
  },
}

const RELRO: Protection = {
  name: 'full RELRO',
  lack({ elf }) {
    if (!elf.segment(PT.GNU_RELRO)) return 'no segment is made read-only after relocation'
    const now = elf.dynamic.has(DT.BIND_NOW) || flags(elf).df & DF.BIND_NOW || flags(elf).df1 & DF_1.NOW
    return now ? undefined : 'symbols are bound lazily, so their table stays writable'
  },
}

const STACK: Protection = {
  name: 'non-executable stack',
  lack({ elf }) {
    const stack = elf.segment(PT.GNU_STACK)
    // Without the header the kernel assumes a program of old, and makes the stack executable.
    return !stack || stack.flags & PF.X ? 'the stack is executable' : undefined
  },
}

const W_XOR_X: Protection = {
  name: 'no writable code',
  lack({ elf }) {
    const both = elf.segments.some((one) => one.type === PT.LOAD && one.flags & PF.W && one.flags & PF.X)
    return both ? 'a segment is writable and executable' : undefined
  },
}

const TEXT: Protection = {
  name: 'no text relocations',
  lack({ elf }) {
    const text = elf.dynamic.has(DT.TEXTREL) || flags(elf).df & DF.TEXTREL
    return text ? 'the loader must write to code' : undefined
  },
}

const SEARCH_PATH: Protection = {
  name: 'no library search path',
  lack({ elf }) {
    return elf.dynamic.has(DT.RPATH) || elf.dynamic.has(DT.RUNPATH) ? 'RPATH or RUNPATH is set' : undefined
  },
}

// Imports alone prove little: the distribution's static libraries bring __stack_chk_fail and __*_chk with them. So the
// calls to them are looked for, in our own functions and in CPython's.
const CANARIES: Protection = {
  name: 'stack protector',
  lack(evidence) {
    if (!evidence.elf.imports.has('__stack_chk_fail')) return '__stack_chk_fail is not imported'
    if (!isX64(evidence.elf)) return undefined
    return partsWithout(evidence, 'no call of it', (part) => evidence.code.callersOf(/^__stack_chk_fail$/, part))
  },
}

const CHECKED = /^__(?!stack_)\w+_chk$/

const FORTIFY: Protection = {
  name: 'FORTIFY_SOURCE',
  lack(evidence) {
    if (![...evidence.elf.imports].some((name) => CHECKED.test(name))) return 'no checked function is imported'
    if (!isX64(evidence.elf)) return undefined
    return partsWithout(evidence, 'no call of one', (part) => evidence.code.callersOf(CHECKED, part))
  },
}

// The mark that would tell the loader (.note.gnu.property: IBT, SHSTK) can't be had: the linker keeps it only when every
// input has it, and start files (Debian 12) or static libraries (libffi, SQLite, seccomp …, Debian 13 too) have not.
// Forcing it would be a lie that crashes on the first indirect call into them. What -fcf-protection does to our code and
// CPython's is there all the same, and is what is looked for.
const BRANCHES: Protection = {
  name: 'branch protection',
  onX64Only: true,
  lack({ subject, code }) {
    for (const [part, named] of Object.entries(subject.parts)) {
      const { present, missing } = code.landingPads(named)
      if (present === 0) return `no landing pad in: ${part}`
      if (missing.length > 0) return `no landing pad in ${missing.slice(0, 5).join(', ')}`
    }
    return undefined
  },
}

const CFI: Protection = {
  name: 'control-flow integrity',
  onX64Only: true,
  lack(evidence) {
    if (!evidence.elf.symbols.some(({ name }) => /\.cfi(_jt)?$/.test(name))) return 'there are no jump tables'
    return partsWithout(evidence, 'no indirect call is checked', (part) => evidence.code.checkingCalls(part))
  },
}

const BASE = [PIE, RELRO, STACK, W_XOR_X, TEXT, SEARCH_PATH, CANARIES, FORTIFY, BRANCHES]

export const PROFILES: Readonly<Record<string, readonly Protection[]>> = { standard: BASE, hardened: [...BASE, CFI] }

/** The profile that a binary claims to be built with. */
export function claimedProfile(path: string): string | undefined {
  return new Elf(path).note('pyisolate', 1)
}

export function gather(subject: Subject): Evidence {
  const elf = new Elf(subject.path)
  return { subject, elf, code: new MachineCode(elf) }
}

/** What a binary lacks of the profile, by the protections' names. */
export function missingProtections(subject: Subject, profile: string): Record<string, string> {
  const evidence = gather(subject)
  const legible = PROFILES[profile]!.filter((one) => !one.onX64Only || isX64(evidence.elf))
  const found = legible.map(({ name, lack }) => [name, lack(evidence)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
