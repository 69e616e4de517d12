import type { EngineBuild, HostReport } from '@pyisolate/native'
import type { Finding } from './finding.js'
import type { SandboxTrial } from './try-sandbox.js'

const setup = 'npm start in a checkout of PyIsolate builds it'

/** What PyIsolate itself brings: engine, addon, interpreter. `host` is the error when the engine is missing. */
export function partFindings(host: HostReport | Error, sandbox: SandboxTrial): Finding[] {
  return [engine(host), addon(host), interpreter(host, sandbox)]
}

export function protections(build: EngineBuild): { readonly on: string[]; readonly off: string[] } {
  const all: [string, boolean][] = [
    ['PIE', build.pie],
    ['full RELRO', build.relro && build.bindNow],
    ['no executable stack', !build.executableStack],
    ['stack protector', build.stackProtector],
    ['branch protection', build.branchProtection],
    ['FORTIFY_SOURCE=3', build.fortify >= 3],
  ]
  const named = (wanted: boolean) => all.filter(([, on]) => on === wanted).map(([name]) => name)
  return { on: named(true), off: named(false) }
}

function engine(host: HostReport | Error): Finding {
  const base = {
    id: 'engine',
    title: 'engine',
    need: 'essential',
    gives: 'the executable that sandboxes run in, apart from this process',
  } as const
  if (host instanceof Error) return { ...base, state: 'missing', found: host.message, remedy: setup }
  const { path, build } = host.engine
  const { on, off } = protections(build)
  const profile = build.profile === undefined ? '' : `${build.profile} profile, `
  return {
    ...base,
    state: build.unconfined ? 'missing' : off.length === 0 ? 'ok' : 'partly',
    found: `${path}: ${profile}${build.compiler}; ${build.unconfined ? 'CONFINES NOTHING, for tests only; ' : ''}${on.join(', ')}${off.length > 0 ? `; without ${off.join(', ')}` : ''}`,
    ...(build.unconfined && { remedy: 'unset PYISOLATE_ENGINE' }),
    ...(!build.unconfined && off.length > 0 && { remedy: 'build it with a compiler that has what is missing' }),
  }
}

function addon(host: HostReport | Error): Finding {
  const base = {
    id: 'addon',
    title: 'addon',
    need: 'essential',
    gives: 'shared-memory rings, wake-ups and deadlines in this process',
  } as const
  if (host instanceof Error) return { ...base, state: 'unknown', found: 'not looked for without an engine' }
  const { path, napi, protocol, problem } = host.addon
  if (problem !== undefined) return { ...base, state: 'missing', found: problem, remedy: setup }
  return {
    ...base,
    state: 'ok',
    found: `${path}: Node-API ${napi}, protocol ${protocol}; Node ${process.versions.node}`,
  }
}

function interpreter(host: HostReport | Error, { python }: SandboxTrial): Finding {
  const base = {
    id: 'interpreter',
    title: 'interpreter',
    need: 'essential',
    gives: 'the Python that sandboxes run, linked into the engine',
  } as const
  const where = host instanceof Error ? '' : `, standard library in ${host.python.stdlib}`
  if (python === undefined) return { ...base, state: 'unknown', found: `no sandbox could be asked${where}` }
  return {
    ...base,
    state: python.freeThreaded ? 'ok' : 'partly',
    found: `CPython ${python.version}, ${python.freeThreaded ? 'free-threaded' : 'with a GIL'}${where}`,
    ...(!python.freeThreaded && { remedy: 'an engine built with a free-threaded CPython 3.13' }),
  }
}
