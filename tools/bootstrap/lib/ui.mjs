const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const PLAIN_INTERVAL_MS = 10_000
const LIVE_INTERVAL_MS = 100

export function elapsed(ms) {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/**
 * Prints one line per step with the time it took. On a terminal the running step is redrawn in place with
 * the latest progress; elsewhere a line is printed every ten seconds, so that a CI log shows life.
 * Everything goes to stderr: stdout belongs to the program that is started afterwards.
 */
export class Steps {
  #out
  #live
  #now
  #started

  constructor({ out = process.stderr, now = Date.now } = {}) {
    this.#out = out
    this.#live = Boolean(out.isTTY) && !process.env.CI
    this.#now = now
    this.#started = now()
  }

  async run(name, body) {
    const start = this.#now()
    let progress = ''
    let frame = 0
    const draw = () => {
      const time = elapsed(this.#now() - start)
      if (!this.#live) {
        this.#out.write(`  … ${name}: ${progress || 'working'} (${time})\n`)
        return
      }
      const line = `${FRAMES[frame++ % FRAMES.length]} ${name} (${time}) ${progress}`
      this.#out.write(`\r\x1b[K${line.slice(0, (this.#out.columns ?? 80) - 1)}`)
    }
    const timer = setInterval(draw, this.#live ? LIVE_INTERVAL_MS : PLAIN_INTERVAL_MS)
    const report = (text) => {
      progress = text
    }
    try {
      const detail = await body(report)
      this.#end('✓', name, start, detail)
    } catch (error) {
      this.#end('✗', name, start)
      throw error
    } finally {
      clearInterval(timer)
    }
  }

  #end(mark, name, start, detail) {
    const suffix = detail ? `: ${detail}` : ''
    this.#out.write(`${this.#live ? '\r\x1b[K' : ''}${mark} ${name}${suffix} (${elapsed(this.#now() - start)})\n`)
  }

  done(text) {
    this.#out.write(`✓ ${text} (${elapsed(this.#now() - this.#started)} in all)\n`)
  }

  note(text) {
    this.#out.write(`${this.#live ? '\r\x1b[K' : ''}  ${text}\n`)
  }
}
