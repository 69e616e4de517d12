import type { BpfNetRule, BpfUnixRule } from '../../src/index.js'

export const connect = 1
export const bind = 2
export const sendto = 4
export const tcp = 6
export const udp = 17

export function net(
  address: string,
  prefix: number,
  ports: readonly [number, number],
  part: Partial<BpfNetRule>,
): BpfNetRule {
  const family = address.includes(':') ? 6 : 4
  const bytes = family === 4 ? address.split('.').map(Number) : v6(address)
  return {
    ops: connect,
    deny: false,
    rule: 0,
    protocol: tcp,
    family,
    prefix,
    from: ports[0],
    to: ports[1],
    address: [...bytes, ...new Array<number>(16).fill(0)].slice(0, 16),
    name: '',
    ...part,
  }
}

/** `::1` and the like: eight groups or one gap. */
function v6(text: string): number[] {
  const [head = '', tail = ''] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const [first, last] = [groups(head), groups(tail)]
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
  return all.flatMap((group) => [group >> 8, group & 0xff])
}

export function unix(path: string, ops: number, rule: number, part: Partial<BpfUnixRule> = {}): BpfUnixRule {
  return { path, ops, rule, deny: false, subtree: false, abstract: false, ...part }
}
