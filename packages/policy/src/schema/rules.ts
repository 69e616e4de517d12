import { type Place, PolicyError } from '../errors/policy-error.js'
import { isProc, type PathPattern, readPath, variables } from '../values/path.js'
import { readName, readTarget, type Target } from '../values/target.js'
import { expectText, type Read } from './read.js'

/** A rule and the place it was written at: what every decision and denial can be led back to. */
export type Rule<T> = T & { readonly place: Place }

export type FileRule = Rule<PathPattern>
export type NetRule = Rule<{ readonly target: Target }>
export type NameRule = Rule<{ readonly name: string }>

const pathWords = `an absolute path, /** behind it for all below; it may start with ${variables.join(' or ')}`
const targetWords =
  'a target such as tcp://10.0.0.0/8:443, tcp://*.example.org:80-90, udp://[::1]:53 or unix:///run/app.sock'

export const file: Read<FileRule> = (node) => {
  const { text, place } = expectText(node, pathWords)
  const read = readPath(text)
  if ('wrong' in read) throw new PolicyError('path', place, read.wrong, { expected: pathWords })
  refuseProc(read.path, place)
  return { ...read, place }
}

export const net: Read<NetRule> = (node) => {
  const { text, place } = expectText(node, targetWords)
  const read = readTarget(text)
  if ('wrong' in read) throw new PolicyError('target', place, read.wrong, { expected: targetWords })
  if (read.kind === 'unix') refuseProc(read.path, place)
  return { target: read, place }
}

/** No rule reaches procfs, so one about it means something that isn't so. */
function refuseProc(path: string, place: Place): void {
  if (!isProc(path)) return
  throw new PolicyError('path', place, `${path} is in procfs, which no sandbox reaches, whatever a rule says`, {
    expected: 'a path outside of /proc',
  })
}

/** Of hosts, to be resolved. */
export const hostName: Read<NameRule> = (node) => {
  const { text, place } = expectText(node, 'a host name')
  const name = readName(text)
  if (name === undefined)
    throw new PolicyError('target', place, JSON.stringify(text), {
      expected: 'a host name, *. before it for all below',
    })
  return { name, place }
}

/** Of system calls and of Python modules; a module's name covers what is below it. */
export function nameRule(shape: RegExp, what: string): Read<NameRule> {
  return (node) => {
    const { text, place } = expectText(node, what)
    if (!shape.test(text)) throw new PolicyError('value', place, JSON.stringify(text), { expected: what })
    return { name: text, place }
  }
}
