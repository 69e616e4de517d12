import { Monty, MontyRepl, MontySnapshot } from '@pydantic/monty'
import { expect, serve, timed } from './serve.js'

await serve({
  async spawn(count: number) {
    return { samples: await timed(count, () => expect(Number(new MontyRepl().feed('6 * 7')) === 42)) }
  },
  /** One host function call there and back: what passes between host and guest while both run. */
  async roundtrip(count: number, text: string) {
    const monty = new Monty('while True:\n    text = echo(text)', { inputs: ['text'] })
    let state = monty.start({ inputs: { text } })
    const step = () => {
      if (!(state instanceof MontySnapshot)) throw new Error('it does not call')
      expect(state.args[0] === text)
      state = state.resume({ returnValue: text })
    }
    return { samples: await timed(count, step) }
  },
  async cpu(source: string, count: number) {
    const monty = new Monty(`${source}\nwork()`)
    let answer: unknown
    const samples = await timed(count, () => {
      answer = monty.run()
    })
    return { samples, answer: typeof answer === 'bigint' ? Number(answer) : answer }
  },
  /** KiB that each of a hundred sessions adds to the process. */
  memory() {
    const sessions = [new MontyRepl()]
    const before = process.memoryUsage.rss()
    for (let i = 0; i < 100; i++) sessions.push(new MontyRepl())
    for (const session of sessions) expect(Number(session.feed('6 * 7')) === 42)
    return { value: (process.memoryUsage.rss() - before) / 1024 / 100 }
  },
})
