import type { Node } from '../document/node.js'
import type { Place } from '../errors/policy-error.js'
import { readCount, readRate, readShare, readSize, readTime, sizeWords, timeWords } from '../values/quantity.js'
import { type Contract, contract } from './contract.js'
import { expectMapping, expectText, fields, list, quantity, type Read, text, word } from './read.js'
import { type FileRule, file, hostName, type NameRule, type NetRule, nameRule, net } from './rules.js'
import { allowedCall, deniedCall } from './system-call.js'

export interface FsSection {
  readonly read: readonly FileRule[]
  readonly write: readonly FileRule[]
  readonly exec: readonly FileRule[]
  readonly deny: readonly FileRule[]
}

export interface NetSection {
  readonly connect: readonly NetRule[]
  readonly bind: readonly NetRule[]
  readonly sendto: readonly NetRule[]
  readonly deny: readonly NetRule[]
  readonly dns: readonly NameRule[]
}

export interface NamesSection {
  readonly allow: readonly NameRule[]
  readonly deny: readonly NameRule[]
}

/** Bytes, milliseconds, processors, bytes a second, or counts. */
export interface LimitsSection {
  readonly memory: number
  readonly cpu: number
  readonly cpuTime: number
  readonly wallTime: number
  readonly processes: number
  readonly threads: number
  readonly openFiles: number
  readonly fileSize: number
  readonly output: number
  readonly bandwidthIn: number
  readonly bandwidthOut: number
  readonly messages: number
}

/** Where each limit that is given was written. */
export type LimitPlaces = Readonly<Partial<Record<keyof LimitsSection, Place>>>

/** One document as it was written, every value read; what isn't given isn't there. */
export interface PolicyDocument {
  readonly version: number
  readonly name: string
  readonly description: string
  readonly extends: readonly { readonly name: string; readonly place: Place }[]
  readonly fs: Partial<FsSection>
  readonly net: Partial<NetSection>
  readonly syscalls: Partial<NamesSection & { readonly profile: 'default' }>
  readonly imports: Partial<NamesSection>
  readonly limits: { readonly values: Partial<LimitsSection>; readonly places: LimitPlaces }
  readonly contracts: readonly Contract[]
  readonly enforcement: 'strict' | 'best-effort'
}

const files = list(file, 'a path')
const targets = list(net, 'a target')
const modules = list(
  nameRule(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, "a Python module's name, such as os.path"),
  "a module's name",
)
const size = quantity(readSize, sizeWords)
const time = quantity(readTime, timeWords, { min: 1, max: 2 ** 31 - 1 })
const rate = quantity(readRate, "a rate such as '10MiB/s'", { min: 1 })
const count = (max: number) => quantity(readCount, 'a whole number', { min: 1, max })

const parents: Read<PolicyDocument['extends']> = (node) => {
  const items = node.kind === 'sequence' ? node.items : [node]
  return items.map((item) => {
    const scalar = expectText(item, "a template's name, or a file such as ./base.yaml")
    return { name: scalar.text, place: scalar.place }
  })
}

const limitValues = fields<LimitsSection>(
  {
    memory: quantity(readSize, sizeWords, { min: 2 ** 20, max: 2 ** 46 }),
    cpu: quantity(readShare, "a share of one processor such as '50%' or '200%'", { min: 0.01, max: 1024 }),
    cpuTime: time,
    wallTime: time,
    processes: count(2 ** 22),
    threads: count(4096),
    openFiles: count(2 ** 20),
    fileSize: size,
    output: size,
    bandwidthIn: rate,
    bandwidthOut: rate,
    messages: count(2 ** 31),
  },
  'limits by name',
)

const limits: Read<PolicyDocument['limits']> = (node) => {
  const values = limitValues(node)
  const { entries } = expectMapping(node, 'limits by name')
  const places = Object.fromEntries(Object.keys(values).map((name) => [name, entries.get(name)!.key.place]))
  return { values, places }
}

/** The keys of schema version 1. @throws PolicyError */
export const readPolicy: (node: Node) => Partial<PolicyDocument> = fields<PolicyDocument>(
  {
    version: (node) => Number(word(['1'])(node)),
    name: text('a name', 100),
    description: text('a description', 4096),
    extends: parents,
    fs: fields<FsSection>({ read: files, write: files, exec: files, deny: files }, 'rules on files'),
    net: fields<NetSection>(
      { connect: targets, bind: targets, sendto: targets, deny: targets, dns: list(hostName, 'a host name') },
      'rules on the network',
    ),
    syscalls: fields<NamesSection & { readonly profile: 'default' }>(
      {
        profile: word(['default']),
        allow: list(allowedCall, "a system call's name"),
        deny: list(deniedCall, "a system call's name"),
      },
      'a profile, additions and removals',
    ),
    imports: fields<NamesSection>({ allow: modules, deny: modules }, 'modules that may or may not be imported'),
    limits,
    contracts: list(contract, 'a contract: name, on, assert and action'),
    enforcement: word(['strict', 'best-effort']),
  },
  'a policy',
  ['version'],
)
