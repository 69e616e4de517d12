import {
  type Cell,
  type CellExit,
  type Engine,
  type Frame,
  FrameType,
  INIT_ID,
  type Isolation,
  type SpawnRequest,
} from '@pyisolate/interface'
import { fromCbor, toCbor } from '../internal/cbor.js'
import { until } from '../internal/until.js'

const limits = {
  memory: 256 * 2 ** 20,
  cpuSeconds: 0,
  threads: 16,
  openFiles: 64,
  frame: 2 ** 20,
  depth: 64,
  items: 100_000,
}

export interface ProbeOptions {
  readonly name?: string
  readonly isolation?: Isolation
  readonly functions?: readonly string[]
  readonly signal?: AbortSignal
  readonly ringBytes?: number
  readonly init?: Uint8Array
}

/** One spawned sandbox, and everything its engine has reported of it. */
export class Probe {
  readonly frames: Frame[] = []
  readonly exits: CellExit[] = []
  readonly corruptions: string[] = []
  drains = 0
  cell!: Cell
  #lastId = INIT_ID

  /** The request that reports to this probe. */
  request(options: ProbeOptions): SpawnRequest {
    const { name = 'probe', isolation = 'process', functions = [], ringBytes = 65_536, signal } = options
    const init = { name, isolation, limits, inputs: {}, functions }
    return {
      name,
      isolation,
      ...(isolation === 'interpreter' && {
        cell: 'shared',
        warm: 1,
        cellInit: () =>
          toCbor({
            ...init,
            name: 'shared',
            limits: { ...limits, memory: 4 * 2 ** 30, threads: 256 },
          }),
      }),
      preload: [],
      readPaths: [],
      modulePaths: [],
      ringBytes,
      maxFrameBytes: limits.frame + 4096,
      limits,
      init: options.init ?? toCbor(init),
      decode: fromCbor,
      onFrame: (frame) => this.frames.push(frame),
      onDrain: () => (this.drains += 1),
      onCorrupt: (detail) => this.corruptions.push(detail),
      onExit: (exit) => this.exits.push(exit),
      ...(signal && { signal }),
    }
  }

  static async spawn(engine: Engine, options: ProbeOptions = {}): Promise<Probe> {
    const probe = new Probe()
    probe.cell = await engine.spawn(probe.request(options))
    return probe
  }

  /** Sends code; returns the request's id. */
  start(code: string, type: FrameType = FrameType.exec): number {
    const id = ++this.#lastId
    this.cell.send(type, id, toCbor({ code, filename: '<test>' }))
    return id
  }

  async run(code: string, type: FrameType = FrameType.exec): Promise<Frame> {
    return this.answer(this.start(code, type))
  }

  async answer(id: number): Promise<Frame> {
    const isAnswer = (frame: Frame) =>
      frame.id === id && (frame.type === FrameType.result || frame.type === FrameType.error)
    await until(() => this.frames.some(isAnswer) || this.exits.length > 0, 10_000, 'an answer')
    const answer = this.frames.find(isAnswer)
    if (answer === undefined) throw new Error(`the sandbox ended instead: ${JSON.stringify(this.exits)}`)
    return answer
  }

  async exit(): Promise<CellExit> {
    await until(() => this.exits.length > 0, 10_000, 'the exit')
    return this.exits[0]!
  }

  values(type: FrameType): unknown[] {
    return this.frames.filter((frame) => frame.type === type).map((frame) => fromCbor(frame.payload))
  }
}
