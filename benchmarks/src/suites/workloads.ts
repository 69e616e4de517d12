/** A program in pure Python whose answer is known, and which every Python of ours and of the rivals can run. */
export interface Workload {
  readonly name: string
  /** Defines `work()`. */
  readonly source: string
  readonly answer: number
}

/** The time of one run by the thread's own clock, which what the neighbours do doesn't disturb, in nanoseconds. */
export const TIMED = `
import time
def timed():
    start = time.thread_time_ns()
    answer = work()
    return [time.thread_time_ns() - start, answer]
`

export const workloads: readonly Workload[] = [
  {
    name: 'calls',
    source: `
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def work():
    return fib(21)
`,
    answer: 10946,
  },
  {
    name: 'floats',
    source: `
def work():
    inside = 0
    for i in range(120):
        for j in range(120):
            x = y = 0.0
            a = i / 60 - 1.5
            b = j / 60 - 1.0
            n = 0
            while n < 20 and x * x + y * y < 4.0:
                x, y = x * x - y * y + a, 2.0 * x * y + b
                n += 1
            inside += n
    return inside
`,
    answer: 174613,
  },
  {
    name: 'text',
    source: `
def work():
    counts = {}
    for i in range(12000):
        for word in ("item " + str(i % 97) + " of " + str(i % 89)).split(" "):
            counts[word] = counts.get(word, 0) + 1
    total = 0
    for word in sorted(counts):
        total += len(word) * counts[word]
    return total
`,
    answer: 117410,
  },
  {
    name: 'lists',
    source: `
def work():
    sieve = [True] * 60001
    sieve[0] = sieve[1] = False
    for i in range(2, 245):
        if sieve[i]:
            for j in range(i * i, 60001, i):
                sieve[j] = False
    primes = [i for i in range(60001) if sieve[i]]
    table = [[a * b for a in range(60)] for b in range(120)]
    return len(primes) + sum([sum(row) for row in table])
`,
    answer: 12643857,
  },
]
