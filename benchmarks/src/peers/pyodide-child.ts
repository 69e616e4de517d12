import { loadPyodide, type PyodideInterface } from 'pyodide'
import { expect, serve, timed } from './serve.js'

let loaded: Promise<PyodideInterface> | undefined
const shared = () => (loaded ??= loadPyodide())

await serve({
  /** A new interpreter each: two of them share nothing, as two sandboxes do. */
  async spawn(count: number) {
    return {
      samples: await timed(count, async () => expect((await loadPyodide()).runPython('6 * 7') === 42)),
    }
  },
  async roundtrip(count: number, text: string) {
    const pyodide = await shared()
    const echo = pyodide.runPython('def echo(text): return text\necho') as (text: string) => string
    return { samples: await timed(count, () => expect(echo(text) === text)) }
  },
  async cpu(source: string, count: number) {
    const pyodide = await shared()
    pyodide.runPython(source)
    let answer: unknown
    const samples = await timed(count, () => {
      answer = pyodide.runPython('work()')
    })
    return { samples, answer }
  },
  /** KiB that an interpreter adds to the process. */
  async memory() {
    const before = process.memoryUsage.rss()
    expect((await loadPyodide()).runPython('6 * 7') === 42)
    return { value: (process.memoryUsage.rss() - before) / 1024 }
  },
})
