import { isIP } from 'node:net'
import { nearest } from '@pyisolate/interface'
import { type Operation, pathFault, systemCallNames } from '@pyisolate/policy'
import { UsageError } from '../errors/usage-error.js'

export const operations = [
  'read',
  'write',
  'exec',
  'connect',
  'bind',
  'sendto',
  'resolve',
  'import',
  'syscall',
] as const satisfies readonly Operation['kind'][]

/** An operation as it is typed: `read /etc/hosts`, `connect tcp://192.0.2.1:443`. @throws UsageError */
export function readOperation(kind: string, subject: string, address: string | undefined): Operation {
  switch (kind) {
    case 'read':
    case 'write':
    case 'exec':
      return { kind, path: readPath(kind, subject) }
    case 'connect':
    case 'bind':
    case 'sendto':
      return readSocket(kind, subject, address)
    case 'resolve':
      return { kind, name: subject }
    case 'import':
      return { kind, module: subject }
    case 'syscall':
      return { kind, name: readSystemCall(subject) }
    default:
      throw new UsageError(
        `there is no operation ${JSON.stringify(kind)}: expected one of ${operations.join(', ')}${hint(kind, operations)}`,
      )
  }
}

/** What a rule's path is held to, too. */
function readPath(kind: string, path: string): string {
  const wrong = pathFault(path)
  if (wrong === undefined) return path
  throw new UsageError(`${kind} ${path}: ${wrong}: expected an absolute, normal path`)
}

function readSystemCall(name: string): string {
  if (systemCallNames.includes(name)) return name
  throw new UsageError(
    `there is no system call ${JSON.stringify(name)}: expected a name such as openat${hint(name, systemCallNames)}`,
  )
}

function hint(word: string, words: readonly string[]): string {
  const near = nearest(word, words)
  return near === undefined ? '' : `; did you mean ${near}?`
}

function readSocket(kind: 'connect' | 'bind' | 'sendto', subject: string, given: string | undefined): Operation {
  const unix = /^unix:\/\/(?:@(.+)|(\/.+))$/.exec(subject)
  if (unix?.[1] !== undefined) return { kind, protocol: 'unix', abstract: unix[1] }
  if (unix?.[2] !== undefined) return { kind, protocol: 'unix', path: readPath(kind, unix[2]) }
  const match = /^(tcp|udp):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(subject)
  if (match === null)
    throw new UsageError(`${kind} needs one peer, such as tcp://192.0.2.1:443, got ${JSON.stringify(subject)}`)
  const protocol = match[1] as 'tcp' | 'udp'
  const host = match[2] ?? match[3]!
  const port = Number(match[4])
  if (port > 65_535) throw new UsageError(`${kind} ${subject}: port ${port}: expected at most 65535`)
  if (isIP(host) !== 0) return { kind, protocol, address: host, port }
  // A name alone decides nothing: where it leads to does, too.
  if (given === undefined || isIP(given) === 0)
    throw new UsageError(`${host} is a name: --address must say which address it leads to`)
  return { kind, protocol, address: given, port, name: host }
}
