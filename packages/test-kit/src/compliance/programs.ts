import type { FakeScript } from '../fake-engine/types.js'
import { FakeException } from '../fake-engine/types.js'

/** What the suite asks of a guest: in Python, and, by the same name, played by `complianceScript`. */
export const programs = {
  nothing: 'pass',
  one: '1',
  fail: '1 / 0',
  echo: 'while True:\n  post(recv())',
  burst: 'for i in range(2000): post(i)',
  loop: 'while True: pass',
  stubborn: 'while True:\n  try:\n    while True: pass\n  except KeyboardInterrupt: pass',
  exit: 'raise SystemExit(7)',
  print: "print('hello')",
  host: 'post(host.add(1, 2))',
} as const

/** For a fake engine. */
export const complianceScript: FakeScript = async ({ code }, guest) => {
  switch (code) {
    case programs.one:
      return 1
    case programs.fail:
      throw new FakeException('ZeroDivisionError', 'division by zero')
    case programs.echo:
      for (;;) await guest.post(await guest.recv())
    case programs.burst:
      for (let i = 0; i < 2000; i++) await guest.post(i)
      return undefined
    case programs.loop:
      return guest.sleep(1e6)
    case programs.stubborn:
      guest.ignoreInterrupts()
      return guest.sleep(1e6)
    case programs.exit:
      return guest.exit(7)
    case programs.print:
      return guest.print('hello\n')
    case programs.host:
      return guest.post(await guest.host('add', [1, 2]))
    default:
      return undefined
  }
}
