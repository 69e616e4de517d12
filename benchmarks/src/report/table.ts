import type { Figure, Peer } from '../figure.js'
import { goalOf } from '../goals.js'

const HEAD = ['figure', 'p50', 'p99', 'unit', 'n', 'limit', 'ratio', 'goal', '']

/** The figures for people: a line each, with its rivals below. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.flatMap((it) => [row(it), ...it.peers.map((peer) => peerRow(peer, it.p50))])
  const full = rows.filter((cells) => cells.length > 1)
  const widths = HEAD.map((title, at) => Math.max(title.length, ...full.map((cells) => cells[at]!.length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (isNumber(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return `${[line(HEAD), rule, ...rows.map((cells) => (cells.length === 1 ? cells[0]! : line(cells)))].join('\n')}\n`
}

const isNumber = (column: number) => [1, 2, 4, 5, 6].includes(column)

function row(it: Figure): string[] {
  const goal = goalOf(it.name)
  const verdict = goal === undefined ? '' : goal.met(it) ? '✓' : '✗'
  const bound = it.limit === null ? '' : number(it.limit)
  const ratio = it.ratio === null ? '' : it.ratio.toFixed(2)
  return [it.name, number(it.p50), number(it.p99), it.unit, String(it.n), bound, ratio, goal?.text ?? '', verdict]
}

/** A rival's ratio is to our figure: how many times ours. */
function peerRow(peer: Peer, ours: number): string[] {
  if ('missing' in peer) return [`  ${peer.name}: none (${peer.missing})`]
  const times = ours === 0 ? '' : `${(peer.p50 / ours).toFixed(2)} ×`
  return [`  ${peer.name}`, number(peer.p50), number(peer.p99), '', String(peer.n), '', times, '', '']
}

function number(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return Number.isInteger(value) ? String(value) : value.toFixed(digits)
}
