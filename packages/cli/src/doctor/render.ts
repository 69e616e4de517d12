import type { EnforcementEntry } from '@pyisolate/core'
import type { Finding, State } from './finding.js'
import type { DoctorReport } from './report.js'

export interface Style {
  readonly colour: boolean
  readonly columns: number
}

const codes = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 } as const
type Colour = keyof typeof codes
type Line = readonly [colour: Colour | undefined, text: string]

/** For people: one block each, aligned, with what is missing and how to get it. */
export function render(report: DoctorReport, style: Style): string {
  const paint = (colour: Colour, text: string): string =>
    style.colour ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text
  const { findings, sandbox, user } = report
  const titles = Math.max(...findings.map(({ title }) => title.length))
  const mechanisms = Math.max(0, ...sandbox.enforcement.map(({ mechanism }) => mechanism.length))

  const block = (mark: string, title: string, width: number, lines: readonly Line[]): string => {
    const indent = ' '.repeat(2 + 8 + width + 2)
    const room = Math.max(40, style.columns - indent.length)
    const texts = lines.flatMap(([colour, text]) =>
      wrap(text, room).map((line) => (colour === undefined ? line : paint(colour, line))),
    )
    return `  ${mark}${title.padEnd(width)}  ${texts.join(`\n${indent}`)}`
  }
  const mark = (state: State, need: Finding['need']): string =>
    paint(state === 'ok' ? 'green' : state === 'missing' && need === 'essential' ? 'red' : 'yellow', state.padEnd(8))
  const finding = ({ title, need, state, found, gives, remedy }: Finding): string =>
    block(mark(state, need), title, titles, [
      [undefined, found],
      ['dim', `gives: ${gives} (${need})`],
      ...(remedy === undefined ? [] : [[undefined, `${state === 'ok' ? 'more' : 'to get it'}: ${remedy}`] as const]),
    ])
  const enforced = ({ mechanism, state, essential, detail }: EnforcementEntry): string =>
    block(mark(state === 'active' ? 'ok' : 'missing', essential ? 'essential' : 'recommended'), mechanism, mechanisms, [
      [undefined, `${detail}${essential ? ' (essential)' : ''}`],
    ])

  const verdict =
    sandbox.problem === undefined
      ? [
          paint('bold', `A sandbox was started in ${sandbox.ms} ms; what confines it`),
          ...sandbox.enforcement.map(enforced),
        ]
      : [paint('red', 'No sandbox could be started'), sandbox.problem]
  const head = paint('bold', `What PyIsolate finds on this host, as ${user === 0 ? 'root' : `user ${user}`}`)
  return `${[head, ...findings.map(finding), '', ...verdict].join('\n')}\n`
}

/** By words; a word longer than a line keeps its own. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > room) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines
}
