import { isIP } from 'node:net'
import type { Operation } from '@pyisolate/policy'
import { UsageError } from '../errors/usage-error.js'

export const operations = ['read', 'write', 'exec', 'connect', 'bind', 'sendto', 'resolve', 'import'] as const

/** An operation as it is typed: `read /etc/hosts`, `connect tcp://192.0.2.1:443`. @throws UsageError */
export function readOperation(kind: string, subject: string, address: string | undefined): Operation {
  switch (kind) {
    case 'read':
    case 'write':
    case 'exec':
      if (!/^(\/(?!\.{1,2}(\/|$))[^/]+)+$|^\/$/.test(subject))
        throw new UsageError(`${kind} needs an absolute path without . and .., got ${JSON.stringify(subject)}`)
      return { kind, path: subject }
    case 'connect':
    case 'bind':
    case 'sendto':
      return readSocket(kind, subject, address)
    case 'resolve':
      return { kind, name: subject }
    case 'import':
      return { kind, module: subject }
    default:
      throw new UsageError(`there is no operation ${JSON.stringify(kind)}: expected one of ${operations.join(', ')}`)
  }
}

function readSocket(kind: 'connect' | 'bind' | 'sendto', subject: string, given: string | undefined): Operation {
  const unix = /^unix:\/\/(?:@(.+)|(\/.+))$/.exec(subject)
  if (unix?.[1] !== undefined) return { kind, protocol: 'unix', abstract: unix[1] }
  if (unix?.[2] !== undefined) return { kind, protocol: 'unix', path: unix[2] }
  const match = /^(tcp|udp):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(subject)
  if (match === null)
    throw new UsageError(`${kind} needs one peer, such as tcp://192.0.2.1:443, got ${JSON.stringify(subject)}`)
  const protocol = match[1] as 'tcp' | 'udp'
  const host = match[2] ?? match[3]!
  const port = Number(match[4])
  if (isIP(host) !== 0) return { kind, protocol, address: host, port }
  // A name alone decides nothing: where it leads to does, too.
  if (given === undefined || isIP(given) === 0)
    throw new UsageError(`${host} is a name: --address must say which address it leads to`)
  return { kind, protocol, address: given, port, name: host }
}
