import { basename } from 'node:path'
import type { CompiledPolicy } from '../compile/compiled-policy.js'
import { numberedRules, rulesIn, type Section } from '../compile/numbered-rules.js'
import type { Operation } from '../explain/operation.js'

interface AuditName {
  /** A module; with it all that is below it. */
  readonly name: string
  readonly rule: number
}

/** An event of Python's that stands for an operation (PEP 578; "Audit events table" of CPython's documentation). */
interface AuditEvent {
  /** More than one: which of them, the event's mode or flags say. */
  readonly operations: readonly Operation['kind'][]
  /** Of the event's arguments, the one that names the object. */
  readonly argument: number
}

/**
 * What the guest's audit hook is told: imports it refuses, and words for what the kernel or the broker refuses. Guests
 * can take the hook away, so it explains and is no boundary. No path of the supervisor's is in it.
 */
export interface AuditTarget {
  readonly policy: string
  readonly imports: {
    /** Nothing but what `allow` names can be imported. */
    readonly restricted: boolean
    readonly allow: readonly AuditName[]
    readonly deny: readonly AuditName[]
  }
  readonly events: Readonly<Record<string, AuditEvent>>
  /** Index: the rule's number. `place`: file, without its folder, and line. */
  readonly rules: readonly { readonly section: Section; readonly text: string; readonly place: string }[]
  /** With `{policy}`, `{operation}`, `{object}`, `{rule}`, `{section}`, `{text}` and `{place}` to be filled in. */
  readonly messages: { readonly denied: string; readonly unruled: string; readonly never: string }
}

const events: Readonly<Record<string, AuditEvent>> = {
  open: { operations: ['read', 'write'], argument: 0 },
  'os.listdir': { operations: ['read'], argument: 0 },
  'os.scandir': { operations: ['read'], argument: 0 },
  'os.chdir': { operations: ['read'], argument: 0 },
  'os.mkdir': { operations: ['write'], argument: 0 },
  'os.rmdir': { operations: ['write'], argument: 0 },
  'os.remove': { operations: ['write'], argument: 0 },
  'os.rename': { operations: ['write'], argument: 0 },
  'os.link': { operations: ['write'], argument: 1 },
  'os.symlink': { operations: ['write'], argument: 1 },
  'os.truncate': { operations: ['write'], argument: 0 },
  'os.chmod': { operations: ['write'], argument: 0 },
  'os.utime': { operations: ['write'], argument: 0 },
  'os.exec': { operations: ['exec'], argument: 0 },
  'os.posix_spawn': { operations: ['exec'], argument: 0 },
  'subprocess.Popen': { operations: ['exec'], argument: 0 },
  'socket.connect': { operations: ['connect'], argument: 1 },
  'socket.bind': { operations: ['bind'], argument: 1 },
  'socket.sendto': { operations: ['sendto'], argument: 1 },
  'socket.sendmsg': { operations: ['sendto'], argument: 1 },
  'socket.getaddrinfo': { operations: ['resolve'], argument: 0 },
  'socket.gethostbyname': { operations: ['resolve'], argument: 0 },
  import: { operations: ['import'], argument: 0 },
}

export function compileAudit(policy: CompiledPolicy): AuditTarget {
  const names = (section: 'imports.allow' | 'imports.deny') =>
    rulesIn(policy, section).map(({ number, rule }) => ({ name: rule.name, rule: number }))
  return {
    policy: policy.name,
    imports: {
      restricted: policy.imports.allow.length > 0,
      allow: names('imports.allow'),
      deny: names('imports.deny'),
    },
    events,
    rules: numberedRules(policy).map(({ section, text, place }) => ({
      section,
      text,
      place: `${basename(place.file)}:${place.line}`,
    })),
    messages: {
      denied: 'the policy {policy} denies to {operation} {object}: rule {rule}, {section}: {text} ({place})',
      unruled: 'no rule of the policy {policy} allows to {operation} {object}; one under {section} would',
      never: 'no policy allows to {operation} {object}',
    },
  }
}
