// In the machine: descriptors that a granted service hands to a sandbox, and those that its own broker does.
import { spawn as spawnProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { folder, policy, type Scenarios, spawn, told } from './lab.js'

let services = 0

/** A service that hands one descriptor to the first who connects (packages/bpf/test/subject/descriptor_calls.cc). */
async function service(what: string): Promise<{ readonly name: string; end(): void }> {
  const name = `pyi-service-${process.pid}-${++services}`
  const program = new URL('../../../bpf/build/Release/pyisolate-subject', import.meta.url)
  const child = spawnProcess(program.pathname, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(`main give @${name} ${what}\n`)
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  if (line !== 'main 0') throw new Error(`the service: ${line}`)
  return { name, end: () => child.stdin.end() }
}

const take = (name: string) => `
connection = socket.socket(socket.AF_UNIX)
connection.connect('\\0${name}')
_, given, _, _ = socket.recv_fds(connection, 1, 1)`

export const passedDescriptors: Scenarios = {
  async 'a descriptor that a service passes'({ held, without }) {
    const secret = join(folder, 'passed-secret')
    writeFileSync(secret, 'secret')
    const results: Record<string, unknown> = {}
    for (const [name, supervisor] of Object.entries({ without, with: held })) {
      const file = await service(`file ${secret} r`)
      const pipe = await service('pipe')
      const connect = `net: { connect: ['unix://@${file.name}', 'unix://@${pipe.name}'] }`
      await using sandbox = await spawn(supervisor, { policy: policy(connect) })
      await sandbox.exec(take(file.name))
      results[name] = await sandbox.eval(`[__import__('os').pread(fd, 9, 0).decode() for fd in given]`)
      await sandbox.exec(take(pipe.name))
      results[`${name}, a pipe`] = await sandbox.eval('len(given)')
      file.end()
      pipe.end()
    }
    results.told = await told(({ object }) => object === secret)
    return results
  },

  // By rules that are the broker's alone, as there is nothing yet whose identity the kernel could know.
  async 'a descriptor that the broker passes'({ held: supervisor }) {
    const later = join(folder, 'later')
    await using sandbox = await spawn(supervisor, {
      policy: policy(`fs: { read: [${later}] }\nnet: { connect: ['tcp://example.org:443'] }`),
    })
    writeFileSync(later, 'later')
    return {
      later: await sandbox.eval(`open(${JSON.stringify(later)}).read()`),
      socket: await sandbox.eval('attempt(socket.socket)'),
    }
  },
}
