import { constants } from 'node:os'
import {
  type Attachment,
  type Cell,
  type Enforcer,
  type EnforcerEvent,
  type Denial as EngineDenial,
  type KernelPolicy,
  type Prepared,
  SpawnError,
  type Unenforced,
} from '@pyisolate/interface'
import type { Denial } from '../../denial.js'

type Told = Omit<EngineDenial, 'operation'> & Pick<Denial, 'operation'>

interface Held {
  prepared: Prepared
  readonly attachment: Attachment
}

/** A policy that every enforcer has taken and none has put in force. */
export interface Step extends Disposable {
  readonly unenforced: ReadonlyMap<string, readonly Unenforced[]>
  readonly prepared: readonly Prepared[]
}

/** By the enforcer's name, and the policy language's: `{ 'bpf-bandwidth': { bytes_in: 0n } }`. */
export type EnforcerCounters = Readonly<Record<string, Readonly<Record<string, bigint>>>>

/** What a supervisor's enforcers hold one sandbox to, beside its engine. */
export class Attachments {
  readonly #enforcers: readonly Enforcer[]
  readonly #sandbox: string
  readonly #tell: (denial: Told) => void
  #held: Held[] = []
  #counted: EnforcerCounters = {}

  constructor(enforcers: readonly Enforcer[], sandbox: string, tell: (denial: Told) => void) {
    this.#enforcers = enforcers
    this.#sandbox = sandbox
    this.#tell = tell
  }

  get needed(): boolean {
    return this.#enforcers.length > 0
  }

  /** @throws what an enforcer throws; then none has it */
  prepare(policy: KernelPolicy): Step {
    const prepared: Prepared[] = []
    const dispose = (): void => {
      for (const one of prepared) one[Symbol.dispose]()
    }
    try {
      for (const enforcer of this.#enforcers) prepared.push(enforcer.prepare(policy))
    } catch (error) {
      dispose()
      throw error
    }
    const unenforced = new Map(this.#enforcers.map(({ name }, i) => [name, prepared[i]!.unenforced]))
    return { prepared, unenforced, [Symbol.dispose]: dispose }
  }

  /** Before the sandbox's first line. @throws SpawnError, or what an enforcer throws: the caller ends the cell */
  attach(cell: Cell, step: Step): void {
    const { thread } = cell
    if (thread === undefined)
      throw new SpawnError(
        `${JSON.stringify(this.#sandbox)}: its engine names no thread that an enforcer could attach to`,
      )
    const target = { name: this.#sandbox, thread, onEvent: (event: EnforcerEvent) => this.#tell(denialOf(event)) }
    for (const prepared of step.prepared) this.#held.push({ prepared, attachment: prepared.attach(target) })
    this.#mark(cell)
  }

  #mark(cell: Cell): void {
    const marks = this.#held.flatMap(({ attachment }) => attachment.socketMark ?? [])
    if (cell.markSockets !== undefined) cell.markSockets(marks)
    else if (marks.length > 0)
      throw new SpawnError(
        `${JSON.stringify(this.#sandbox)}: its engine puts no marks into sockets, by which an enforcer would know them`,
      )
  }

  /** By one store each. */
  update(step: Step): void {
    for (const [i, held] of this.#held.entries()) {
      const next = step.prepared[i]!
      held.attachment.update(next)
      held.prepared[Symbol.dispose]()
      held.prepared = next
    }
  }

  /** What was counted in the kernel so far; of one that was let go of, until then. */
  counters(): EnforcerCounters {
    if (this.#held.length > 0)
      this.#counted = Object.fromEntries(
        this.#held.map(({ attachment }, i) => [this.#enforcers[i]!.name, attachment.counters()]),
      )
    return this.#counted
  }

  /** What is left of the sandbox is denied everything. */
  detach(): void {
    this.counters()
    const held = this.#held
    this.#held = []
    for (const { attachment, prepared } of held) {
      attachment[Symbol.dispose]()
      prepared[Symbol.dispose]()
    }
  }
}

const operations: Readonly<Record<string, Denial['operation']>> = {
  open: 'read',
  receive: 'read',
  exec: 'exec',
  mmap: 'exec',
  mprotect: 'exec',
  connect: 'connect',
  bind: 'bind',
  sendto: 'sendto',
  socket: 'socket',
  listen: 'bind',
  unlink: 'write',
  rename: 'write',
  mkdir: 'write',
  rmdir: 'write',
  mknod: 'write',
  link: 'write',
  symlink: 'write',
  truncate: 'write',
  chmod: 'write',
  chown: 'write',
  limit: 'limit',
}

function denialOf({ operation, error, ...event }: EnforcerEvent): Told {
  const errno =
    error === undefined ? 0 : (constants.errno[error as keyof typeof constants.errno] ?? constants.errno.EACCES)
  // What is no matter of files and sockets is a call that no guest has, such as ptrace(2).
  return { ...event, operation: operations[operation] ?? 'call', errno, allowed: false }
}
