import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml'
import { type Place, PolicyError } from '../errors/policy-error.js'
import type { Entry, Node, ScalarNode } from './node.js'

/** Of the text, in UTF-16 units. */
const largestDocument = 2 ** 20
/** Sequences and mappings inside each other; a policy needs five. */
const deepest = 16

/**
 * YAML 1.2 to nodes that know their places. Of YAML there is no more than a policy needs: one document, no aliases
 * (a few lines of them can stand for millions), no tags, no key twice.
 * @throws PolicyError
 */
export function parseDocument(text: string, file: string): Node {
  if (text.length > largestDocument) {
    throw new PolicyError('too-large', { file, line: 1, column: 1 }, `the document has ${text.length} characters`, {
      expected: `at most ${largestDocument}`,
    })
  }
  return new Composer(text, file, events(text, file)).document()
}

function events(text: string, file: string): readonly Event[] {
  try {
    return parseEvents(text, { filename: file, maxDepth: deepest })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { line = 0, column = 0 } = (error.mark ?? {}) as { line?: number; column?: number }
    throw new PolicyError('syntax', { file, line: line + 1, column: column + 1 }, error.reason, { cause: error })
  }
}

class Composer {
  readonly #lines: readonly number[]
  #next = 0

  constructor(
    private readonly text: string,
    private readonly file: string,
    private readonly events: readonly Event[],
  ) {
    this.#lines = lineStarts(text)
  }

  document(): Node {
    const start = { file: this.file, line: 1, column: 1 }
    if (this.#take()?.type !== EVENT_ID.DOCUMENT) {
      throw new PolicyError('syntax', start, 'the document is empty', { expected: 'a mapping with the key version' })
    }
    const node = this.#node()
    this.#take() // the document's end
    if (this.#take() !== undefined) {
      throw new PolicyError('syntax', start, 'several documents in one file', { expected: 'a single one' })
    }
    return node
  }

  #take(): Event | undefined {
    return this.events[this.#next++]
  }

  /** `around`: an offset near it, for a value that was left out. */
  #node(around = 0): Node {
    const event = this.#take()!
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        this.#refuseTag(event.tagStart, event.tagEnd)
        const plain = event.style === SCALAR_STYLE.PLAIN
        // What was left out has no place of its own; what is in quotes starts behind the first.
        const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
        const start = event.valueStart < 0 ? around : event.valueStart - (quoted ? 1 : 0)
        return { kind: 'scalar', place: this.#place(start), text: getScalarValue(this.text, event), plain }
      }
      case EVENT_ID.SEQUENCE: {
        this.#refuseTag(event.tagStart, event.tagEnd)
        const items: Node[] = []
        while (!this.#ends()) items.push(this.#node())
        return { kind: 'sequence', place: this.#place(event.start), items }
      }
      case EVENT_ID.MAPPING:
        this.#refuseTag(event.tagStart, event.tagEnd)
        return { kind: 'mapping', place: this.#place(event.start), entries: this.#entries() }
      case EVENT_ID.ALIAS:
        throw new PolicyError('alias', this.#place(event.anchorStart - 1), 'an alias', {
          expected: 'what it stands for',
        })
      default:
        throw new PolicyError('syntax', this.#place(0), 'a document inside a document')
    }
  }

  #entries(): Map<string, Entry> {
    const entries = new Map<string, Entry>()
    while (!this.#ends()) {
      const from = this.events[this.#next]
      const key = this.#node()
      const value = this.#node(from?.type === EVENT_ID.SCALAR ? from.valueEnd : 0)
      if (key.kind !== 'scalar') throw new PolicyError('syntax', key.place, 'a key that is not a word')
      this.#refuseTwice(key, entries.get(key.text))
      entries.set(key.text, { key, value })
    }
    return entries
  }

  #refuseTwice(key: ScalarNode, first: Entry | undefined): void {
    if (first === undefined) return
    throw new PolicyError('duplicate-key', key.place, `${key.text} is here twice`, {
      expected: `it once; the first is on line ${first.key.place.line}`,
    })
  }

  #refuseTag(from: number, to: number): void {
    if (to > from) throw new PolicyError('syntax', this.#place(from), 'a tag', { expected: 'a plain value' })
  }

  /** Whether the collection ends here; steps over its end. */
  #ends(): boolean {
    if (this.events[this.#next]?.type !== EVENT_ID.POP) return false
    this.#next++
    return true
  }

  #place(offset: number): Place {
    let low = 0
    let high = this.#lines.length - 1
    const at = Math.max(0, offset)
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lines[middle]! <= at) low = middle
      else high = middle - 1
    }
    return { file: this.file, line: low + 1, column: at - this.#lines[low]! + 1 }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
