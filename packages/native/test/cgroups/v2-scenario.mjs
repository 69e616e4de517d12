/**
 * Groups of version 2 on a kernel that has every controller, as root in the root group (a virtual machine's init will do):
 *   node v2-scenario.mjs [MODULE]      MODULE: the built package, default ../../dist/index.js
 * Prints one JSON object: { kernel, results: { name: { ok, ... } }, ok }, and exits with 0 if all are.
 */
import { spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [modulePath = fileURLToPath(new URL('../../dist/index.js', import.meta.url)), role = 'all'] =
  process.argv.slice(2)
const { openCgroups } = await import(pathToFileURL(resolve(modulePath)).href)

const ROOT = '/sys/fs/cgroup'
const PATIENCE_MS = 60_000
const v2 = { cpu: 'v2', memory: 'v2', pids: 'v2' }
const control = (file, value) => writeFileSync(`${ROOT}/${file}`, value, { flag: 'r+' })
const ownGroup = () => readFileSync('/proc/self/cgroup', 'utf8').trim().split('::')[1]
const parents = (folder) => readdirSync(folder).filter((name) => name.startsWith('pyisolate-'))

function expect(what, is) {
  if (!is) throw new Error(what)
}

function same(what, got, wanted) {
  expect(
    `${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`,
    JSON.stringify(got) === JSON.stringify(wanted),
  )
}

function code(action) {
  try {
    action()
  } catch (error) {
    return `${error.code} ${error.errno} ${error.controller}`
  }
  return 'nothing was thrown'
}

const children = new Set()
function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options })
  children.add(child)
  child.ended = new Promise((done) => child.once('exit', (status, signal) => done(signal ?? status)))
  return child
}
const shell = (text) => start('/bin/sh', ['-c', `read go; ${text}`])
const node = (text) =>
  start(process.execPath, ['-e', `process.stdin.once('data', async () => { ${text} }); console.log('ready')`])
const line = (child) =>
  Promise.race([
    new Promise((done) => child.stdout.once('data', (data) => done(String(data).trim()))),
    delay(PATIENCE_MS, 'no line came', { ref: false }),
  ])

async function busyThread(pid) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(20)) {
    for (const tid of readdirSync(`/proc/${pid}/task`)) {
      const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1')
      if (Number(tid) !== pid && Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11]) >= 100) return Number(tid)
    }
  }
  throw new Error('no thread is busy')
}

/** Each gets the opened groups of this process and may return details. */
const inRoot = {
  async report({ cgroups }) {
    same('report', cgroups.report, v2)
    same('own group', ownGroup(), '/')
    expect(
      'bandwidth in a root that passes cpu on',
      readFileSync(`${ROOT}/cgroup.subtree_control`, 'utf8').includes('cpu'),
    )
  },

  async cpu({ cgroups }) {
    const group = cgroups.create(['cpu'], { cpu: 0.2 })
    const busy = shell('while :; do :; done')
    group.add(busy.pid)
    const began = performance.now()
    busy.stdin.write('\n')
    await delay(2000)
    const { cpu } = group.usage()
    const elapsedUs = (performance.now() - began) * 1000
    expect(`throttled ${JSON.stringify(cpu)}`, cpu.throttledPeriods > 3 && cpu.throttledUs > elapsedUs * 0.3)
    expect(`bounded ${JSON.stringify(cpu)}`, cpu.usageUs > 20_000 && cpu.usageUs < elapsedUs * 0.2 + 150_000)
    group.limit({})
    await delay(300)
    const before = group.usage().cpu
    await delay(500)
    same('throttled when unlimited', group.usage().cpu.throttledUs - before.throttledUs, 0)
    await group.remove()
    same('its end', await busy.ended, 'SIGKILL')
    expect('folder gone', !existsSync(group.folders[0]))
    return { share: cpu.usageUs / elapsedUs, throttledPeriods: cpu.throttledPeriods }
  },

  async memory({ cgroups }) {
    const group = cgroups.create(['memory'], { memoryBytes: 64 * 2 ** 20 })
    const hungry = node('Buffer.alloc(256 * 2 ** 20, 1); console.log("had it")')
    same('start', await line(hungry), 'ready')
    group.add(hungry.pid)
    hungry.stdin.write('go\n')
    same('end', await hungry.ended, 'SIGKILL')
    const { memory } = group.usage()
    expect(`counted ${JSON.stringify(memory)}`, memory.oomKills > 0)
    expect('bounded', memory.peakBytes === undefined || memory.peakBytes <= 64 * 2 ** 20)
    await group.remove()
    return memory
  },

  async 'memory, live'({ cgroups }) {
    const group = cgroups.create(['memory'], { memoryBytes: 64 * 2 ** 20 })
    const hungry = node(
      'globalThis.kept = Buffer.alloc(128 * 2 ** 20, 1); console.log("had it"); setInterval(() => {}, 1e6)',
    )
    same('start', await line(hungry), 'ready')
    group.add(hungry.pid)
    group.limit({ memoryBytes: 512 * 2 ** 20 })
    hungry.stdin.write('go\n')
    same('raised', await line(hungry), 'had it')
    group.limit({ memoryBytes: 16 * 2 ** 20 })
    same('lowered below what is used', await hungry.ended, 'SIGKILL')
    await group.remove()
  },

  async pids({ cgroups }) {
    const group = cgroups.create(['pids'])
    const forks = node(`
      const { spawn } = require('child_process')
      const fork = () => new Promise((done) => {
        const child = spawn('sleep', ['0'])
        child.once('error', (error) => done(error.code))
        child.once('exit', () => done('forked'))
      })
      console.log(await fork())
      process.stdin.once('data', async () => console.log(await fork()))`)
    same('start', await line(forks), 'ready')
    group.add(forks.pid)
    const { current } = group.usage().pids
    group.limit({ pids: current })
    forks.stdin.write('go\n')
    same('at the limit', await line(forks), 'EAGAIN')
    expect('counted', group.usage().pids.refused > 0)
    group.limit({ pids: current + 4 })
    forks.stdin.write('go\n')
    same('raised', await line(forks), 'forked')
    await group.remove()
  },

  async threads({ cgroups }) {
    const cell = cgroups.create(undefined, { memoryBytes: 2 ** 29, pids: 100 })
    const worker = `new (require('worker_threads').Worker)('for (;;);', { eval: true })`
    const program = node(`${worker}; setInterval(() => console.log('tick'), 20)`)
    same('start', await line(program), 'ready')
    cell.add(program.pid)
    program.stdin.write('go\n')
    await line(program)
    const thread = await busyThread(program.pid)
    const group = cell.createThreadGroup({ cpu: 0.1, pids: 4 })
    const other = cell.createThreadGroup({ cpu: 0.1 })
    group.addThread(thread)
    let ticks = 0
    program.stdout.on('data', () => ticks++)
    await delay(2000)
    const { cpu } = group.usage()
    expect(`throttled ${JSON.stringify(cpu)}`, cpu.throttledUs > 300_000)
    expect(`the first thread is not (${ticks})`, ticks > 10)
    same('tasks', group.usage().pids.current, 1)
    cell.addThread(thread)
    same('taken back', group.usage().pids.current, 0)
    await group.remove()
    const stranger = start('/bin/sleep', ['60'])
    const errno = code(() => other.addThread(stranger.pid))
    expect(`a thread of another process is refused: ${errno}`, errno.startsWith('ERR_PYISOLATE_CGROUP E'))
    await cell.remove()
    same('end', await program.ended, 'SIGKILL')
    return { ticks, throttledUs: cpu.throttledUs, errno }
  },

  async refusals({ cgroups }) {
    const group = cgroups.create()
    const short = start('/bin/true', [])
    await short.ended
    same(
      'an ended process',
      code(() => group.add(short.pid)),
      'ERR_PYISOLATE_CGROUP ESRCH undefined',
    )
    await group.remove()
  },
}

/** Runs this file again in another group, as another user. */
async function elsewhere(name, uid, group) {
  const again = `echo $$ > ${ROOT}${group}/cgroup.procs && exec "$0" "$@"`
  const setUser = `process.setgid(${uid}); process.setuid(${uid}); process.setgroups = undefined;`
  const entry = pathToFileURL(fileURLToPath(import.meta.url)).href
  const script = `process.argv.splice(1, 0, 'x'); ${uid ? `process.setgroups([]); ${setUser}` : ''} import(${JSON.stringify(entry)})`
  const child = start('/bin/sh', ['-c', again, process.execPath, '-e', script, '--', modulePath, name])
  child.stdin.end()
  let text = ''
  child.stdout.on('data', (data) => (text += data))
  const end = await child.ended
  same(`${name}: exit (${text})`, end, 0)
  return JSON.parse(text)
}

function prepare(group, uid, passOn) {
  mkdirSync(`${ROOT}${group}`)
  control('cgroup.subtree_control', '+cpu +memory +pids')
  if (!passOn) return
  for (const file of ['', '/cgroup.procs', '/cgroup.subtree_control', '/cgroup.threads'])
    chownSync(`${ROOT}${group}${file}`, uid, uid)
}

const apart = {
  async 'delegated to an ordinary user'() {
    prepare('/delegated', 1000, true)
    const details = await elsewhere('delegated', 1000, '/delegated')
    same('groups left', parents(`${ROOT}/delegated`), [])
    rmdirSync(`${ROOT}/delegated`)
    return details
  },
  async 'not delegated'() {
    prepare('/theirs', 1000, false)
    const { report } = await elsewhere('report', 1000, '/theirs')
    for (const name of ['cpu', 'memory', 'pids'])
      expect(JSON.stringify(report), /EACCES.*Delegate=yes/.test(report[name].missing))
    rmdirSync(`${ROOT}/theirs`)
    return report
  },
  async 'not alone in its group'() {
    prepare('/shared', 0, true)
    const beside = start('/bin/sleep', ['600'])
    control('shared/cgroup.procs', String(beside.pid))
    const { report } = await elsewhere('report', 0, '/shared')
    expect(JSON.stringify(report), report.cpu.missing.includes(`(${beside.pid})`))
    const moved = await elsewhere('evacuate', 0, '/shared')
    same('all moved', moved.report, v2)
    same('back again', readFileSync(`${ROOT}/shared/cgroup.procs`, 'utf8').trim(), String(beside.pid))
    beside.kill('SIGKILL')
    await beside.ended
    rmdirSync(`${ROOT}/shared`)
  },
  async 'left by a supervisor that was killed'() {
    prepare('/crashed', 0, true)
    const crash = start('/bin/sh', [
      '-c',
      `echo $$ > ${ROOT}/crashed/cgroup.procs && exec "$0" "$@"`,
      process.execPath,
      fileURLToPath(import.meta.url),
      modulePath,
      'crash',
    ])
    same('its end', await crash.ended, 'SIGKILL')
    same('left', parents(`${ROOT}/crashed`).length, 1)
    // Beside it, because its group can't hold processes any more: a place of its own.
    const cgroups = openCgroups({ parent: '/crashed' })
    same('report', cgroups.report, v2)
    same('swept', parents(`${ROOT}/crashed`).length, 1)
    cgroups.close()
    same('left now', parents(`${ROOT}/crashed`), [])
    rmdirSync(`${ROOT}/crashed`)
  },
}

const roles = {
  /** As an ordinary user, in a group that is theirs. */
  async delegated() {
    const cgroups = openCgroups()
    same('report', cgroups.report, v2)
    expect(`moved to ${ownGroup()}`, /^\/delegated\/pyisolate-[^/]+\/supervisor$/.test(ownGroup()))
    const busy = shell('while :; do :; done')
    const group = cgroups.create(undefined, { cpu: 0.2, memoryBytes: 2 ** 26, pids: 4 })
    group.add(busy.pid)
    busy.stdin.write('\n')
    await delay(1500)
    const usage = group.usage()
    expect(`throttled ${JSON.stringify(usage)}`, usage.cpu.throttledUs > 300_000)
    await cgroups[Symbol.asyncDispose]()
    same('its end', await busy.ended, 'SIGKILL')
    same('back', ownGroup(), '/delegated')
    return { report: cgroups.report, usage }
  },
  async report() {
    const cgroups = openCgroups()
    cgroups.close()
    return { report: cgroups.report }
  },
  async evacuate() {
    const cgroups = openCgroups({ processes: 'all' })
    cgroups.close()
    return { report: cgroups.report }
  },
  async crash() {
    openCgroups().create(undefined, { pids: 4 })
    process.kill(process.pid, 'SIGKILL')
  },
}

async function everything() {
  const results = {}
  const attempt = async (name, action) => {
    try {
      results[name] = { ok: true, ...(await action()) }
    } catch (error) {
      results[name] = { ok: false, problem: String(error?.stack ?? error) }
    }
    for (const child of children) child.kill('SIGKILL')
    children.clear()
  }
  const passedOn = readFileSync(`${ROOT}/cgroup.subtree_control`, 'utf8')
  const cgroups = openCgroups()
  for (const [name, test] of Object.entries(inRoot)) await attempt(name, () => test({ cgroups }))
  await attempt('the end', async () => {
    await cgroups[Symbol.asyncDispose]()
    same('groups left', parents(ROOT), [])
    same('what the root passes on', readFileSync(`${ROOT}/cgroup.subtree_control`, 'utf8'), passedOn)
  })
  for (const [name, test] of Object.entries(apart)) await attempt(name, test)
  const ok = Object.values(results).every((result) => result.ok)
  return { kernel: release(), ok, results }
}

const answer = await (role === 'all' ? everything() : roles[role]())
console.log(JSON.stringify(answer, undefined, 1))
process.exit(answer.ok === false ? 1 : 0)
