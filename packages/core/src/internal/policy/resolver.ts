import { lookup } from 'node:dns/promises'
import { Fifo } from '../session/fifo.js'

/** getaddrinfo(3) takes a thread of libuv's few each: most stay free for the program itself, and no guest takes two. */
const mostAtOnce = 2

let running = 0
const waiting = new Fifo<() => void>()

async function turn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  running++
  try {
    return await work()
  } finally {
    running--
    waiting.shift()?.()
  }
}

/** The addresses of a name, as the system has them. One sandbox's questions are asked one after the other. */
export class Resolver {
  #last: Promise<unknown> = Promise.resolve()

  /** @throws NodeJS.ErrnoException (ENOTFOUND, EAI_AGAIN) */
  resolve(name: string): Promise<string[]> {
    const answer = this.#last.then(() => turn(() => lookup(name, { all: true, order: 'verbatim' })))
    this.#last = answer.catch(() => {})
    return answer.then((found) => found.map(({ address }) => address))
  }
}
