import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PolicyError, PolicySourceError, type PolicyUpdate, type WatchOptions, watchPolicies } from '../src/index.js'
import { closing, folder, policyText, reader, statusOf, within } from './sources-support.js'

/** Looks by itself only when told of a change, unless a test says otherwise. */
function watching(path: string, options: WatchOptions = {}) {
  return closing(watchPolicies(path, { settle: 40, recheck: 3_600_000, ...options }))
}

const MiB = 2 ** 20

describe('a watched file', () => {
  it('gives its policy, and each change, whether written in place or replaced', async () => {
    const file = join(folder(), 'one.yaml')
    writeFileSync(file, policyText('first'))
    const source = watching(file)
    const next = reader(source)
    const first = await next()
    expect(first).toMatchObject({ name: 'one', from: file, policy: { name: 'first', limits: { memory: 64 * MiB } } })
    expect(first.version).toMatch(/^[0-9a-f]{64}$/)

    writeFileSync(file, policyText('in place', '65MiB'))
    const second = await next()
    expect(second.policy.name).toBe('in place')
    expect(second.version).not.toBe(first.version)

    writeFileSync(`${file}.new`, policyText('renamed', '66MiB'))
    renameSync(`${file}.new`, file)
    expect((await next()).policy.name).toBe('renamed')
    expect(source.policies().get('one')?.policy.name).toBe('renamed')
    expect((await source.check()).state).toBe('current')
  })

  it('is not taken while it is half written', async () => {
    const file = join(folder(), 'p.yaml')
    const loose = 'version: 1\nname: loose\nfs:\n  read: [/srv/**]\n'
    writeFileSync(file, policyText('old'))
    const source = watching(file, { settle: 150 })
    const next = reader(source)
    await next()
    // Each part of it is a valid policy; without its last line it would allow what the whole one denies.
    writeFileSync(file, loose)
    for (let part = 0; part < 20; part++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      appendFileSync(file, `# line ${part}\n`)
    }
    appendFileSync(file, '  deny: [/srv/keys/**]\n')
    const { policy } = await next()
    expect(policy.fs.deny).toHaveLength(1)
  })

  it('leaves the last good policy when it is spoiled, and says where', async () => {
    const file = join(folder(), 'p.yaml')
    writeFileSync(file, policyText('good'))
    const source = watching(file)
    const next = reader(source)
    const { version } = await next()

    writeFileSync(file, 'version: 1\nlimits:\n  memry: 1GiB\n')
    const { error, files } = await statusOf(source, ({ state }) => state === 'failing')
    expect(error).toBeInstanceOf(PolicyError)
    expect(error).toMatchObject({ problem: 'unknown-key', place: { file, line: 3, column: 3 }, suggestion: 'memory' })
    expect(files).toMatchObject([{ name: 'p', state: 'failing', version }])
    expect(source.policies().get('p')?.policy.name).toBe('good')

    truncateSync(file)
    await statusOf(source, (status) => PolicyError.isInstance(status.error) && status.error.problem === 'syntax')
    writeFileSync(file, policyText('better'))
    expect((await next()).policy.name).toBe('better')
    expect(await statusOf(source, ({ state }) => state === 'current')).toMatchObject({ error: undefined })
  })

  it('says when it is deleted, and takes the one that comes in its place', async () => {
    const file = join(folder(), 'p.yaml')
    writeFileSync(file, policyText('before'))
    const source = watching(file)
    const next = reader(source)
    await next()
    unlinkSync(file)
    const { error } = await statusOf(source, ({ state }) => state === 'missing')
    expect(error).toBeInstanceOf(PolicySourceError)
    expect(error).toMatchObject({ code: 'ERR_PYISOLATE_POLICY_SOURCE', problem: 'missing', from: file })
    expect(source.policies().get('p')?.policy.name).toBe('before')
    writeFileSync(file, policyText('after'))
    expect((await next()).policy.name).toBe('after')
  })

  it('may come later, folder and all', async () => {
    const root = folder()
    const file = join(root, 'etc', 'policies', 'p.yaml')
    const source = watching(file)
    expect(await source.ready()).toMatchObject({ state: 'missing', error: { problem: 'missing' }, files: [] })
    mkdirSync(join(root, 'etc', 'policies'), { recursive: true })
    writeFileSync(file, policyText('late'))
    expect((await reader(source)()).policy.name).toBe('late')
  })

  it('is read again when a policy that it extends changes, goes, or comes back', async () => {
    const root = folder()
    mkdirSync(join(root, 'base'))
    const base = join(root, 'base', 'base.yaml')
    const file = join(root, 'p.yaml')
    writeFileSync(base, 'version: 1\nextends: compute\nfs:\n  deny: [/a/**]\n')
    writeFileSync(file, 'version: 1\nextends: ./base/base.yaml\nname: child\n')
    const source = watching(file)
    const next = reader(source)
    const denied = ({ policy }: PolicyUpdate) => JSON.stringify(policy.fs.deny)
    expect(denied(await next())).toContain('"/a"')
    writeFileSync(base, 'version: 1\nextends: compute\nfs:\n  deny: [/b/**]\n')
    expect(denied(await next())).toContain('"/b"')
    unlinkSync(base)
    expect(await statusOf(source, ({ state }) => state === 'failing')).toMatchObject({
      error: { code: 'ERR_PYISOLATE_POLICY', problem: 'not-found', place: { file, line: 2 } },
    })
    writeFileSync(base, 'version: 1\nfs:\n  deny: [/c/**]\n')
    expect(denied(await next())).toContain('"/c"')
  })

  it('is no device, no FIFO, no folder, not too large, and text', async () => {
    const root = folder()
    const problemOf = async (name: string) => (await watching(join(root, name)).ready()).error
    execFileSync('mkfifo', [join(root, 'fifo.yaml')])
    writeFileSync(join(root, 'large.yaml'), Buffer.alloc(2 ** 20 + 1, '#'))
    writeFileSync(join(root, 'binary.yaml'), Buffer.from([0x76, 0xff, 0xfe]))
    symlinkSync('/dev/zero', join(root, 'zero.yaml'))
    symlinkSync('round.yaml', join(root, 'round.yaml'))
    expect(await within(problemOf('fifo.yaml'), 'a FIFO')).toMatchObject({ problem: 'not-found' })
    expect(await problemOf('zero.yaml')).toMatchObject({ problem: 'not-found' })
    expect(await problemOf('large.yaml')).toMatchObject({ problem: 'too-large' })
    expect(await problemOf('binary.yaml')).toMatchObject({ problem: 'syntax' })
    expect(await problemOf('round.yaml')).toMatchObject({ problem: 'file' })
  })

  // A machine that is busy enough does leave it alone, for as long as the writer doesn't run: once more, then.
  it('is reported when it is never left alone', { timeout: 20_000, retry: 3 }, async () => {
    const file = join(folder(), 'p.yaml')
    const source = watching(file, { settle: 70 })
    await source.ready()
    writeFileSync(file, policyText('restless'))
    // In every turn of the loop, so that no look comes without a change before it.
    let writing = true
    const write = (): void => {
      appendFileSync(file, '#\n')
      if (writing) setTimeout(write, 1)
    }
    write()
    try {
      const { error } = await statusOf(source, ({ state }) => state === 'failing')
      expect(error).toMatchObject({ problem: 'file', from: file })
      expect(source.policies().size).toBe(0)
    } finally {
      writing = false
    }
    await source.check()
    expect(source.policies().get('p')?.policy.name).toBe('restless')
  })
})

describe('a watched folder', () => {
  it('has a policy for each *.yaml, and none for anything else', async () => {
    const root = folder()
    for (const name of ['a.yaml', 'b.c.yaml', 'notes.txt', '.a.yaml.swp', '.#a.yaml', '.hidden.yaml'])
      writeFileSync(join(root, name), policyText('x'))
    const source = watching(root)
    await source.ready()
    expect([...source.policies().keys()]).toEqual(['a', 'b.c'])
  })

  it('takes files that come, keeps the policies of those that go, and isn’t spoiled by one', async () => {
    const root = folder()
    const source = watching(root)
    expect(await source.ready()).toMatchObject({ state: 'current', files: [] })
    const next = reader(source)
    writeFileSync(join(root, 'a.yaml'), policyText('a'))
    expect(await next()).toMatchObject({ name: 'a' })
    writeFileSync(join(root, 'broken.yaml'), 'version: 2\n')
    await statusOf(source, ({ state }) => state === 'failing')
    writeFileSync(join(root, 'b.yaml'), policyText('b'))
    expect(await next()).toMatchObject({ name: 'b' })
    unlinkSync(join(root, 'a.yaml'))
    const { files } = await statusOf(source, (status) => status.files.some(({ state }) => state === 'missing'))
    expect(files.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'missing'],
      ['b', 'current'],
      ['broken', 'failing'],
    ])
    expect([...source.policies().keys()]).toEqual(['a', 'b'])
  })

  it('may be a Kubernetes volume, whose ..data changes what it leads to', async () => {
    const root = folder()
    const mount = (version: string, texts: Record<string, string>): void => {
      mkdirSync(join(root, `..${version}`))
      for (const [name, text] of Object.entries(texts)) writeFileSync(join(root, `..${version}`, name), text)
      symlinkSync(`..${version}`, join(root, '..data_tmp'))
      renameSync(join(root, '..data_tmp'), join(root, '..data'))
    }
    mount('2024_1', { 'a.yaml': policyText('a1'), 'b.yaml': policyText('b1') })
    for (const name of ['a.yaml', 'b.yaml']) symlinkSync(join('..data', name), join(root, name))
    const source = watching(root)
    const next = reader(source)
    expect([(await next()).policy.name, (await next()).policy.name]).toEqual(['a1', 'b1'])
    mount('2024_2', { 'a.yaml': policyText('a2'), 'b.yaml': policyText('b2') })
    rmSync(join(root, '..2024_1'), { recursive: true })
    expect([(await next()).policy.name, (await next()).policy.name].sort()).toEqual(['a2', 'b2'])
    expect(source.status().state).toBe('current')
  })

  it('may itself be a link that changes', async () => {
    const root = folder()
    for (const version of ['1', '2']) {
      mkdirSync(join(root, 'releases', version), { recursive: true })
      writeFileSync(join(root, 'releases', version, 'p.yaml'), policyText(`release ${version}`))
    }
    symlinkSync('releases/1', join(root, 'current'))
    const source = watching(join(root, 'current'))
    const next = reader(source)
    expect((await next()).policy.name).toBe('release 1')
    symlinkSync('releases/2', join(root, 'current.new'))
    renameSync(join(root, 'current.new'), join(root, 'current'))
    expect((await next()).policy.name).toBe('release 2')
  })

  it('has at most a thousand', async () => {
    const root = folder()
    for (let at = 0; at < 1001; at++) writeFileSync(join(root, `${at}.yaml`), '')
    expect((await watching(root).ready()).error).toMatchObject({ problem: 'too-large' })
  })
})

describe('a watching source', () => {
  it('finds by looking what no event told', async () => {
    const root = folder()
    mkdirSync(join(root, 'a', 'b'), { recursive: true })
    mkdirSync(join(root, 'x', 'b'), { recursive: true })
    writeFileSync(join(root, 'a', 'b', 'p.yaml'), policyText('old'))
    writeFileSync(join(root, 'x', 'b', 'p.yaml'), policyText('new'))
    const source = watching(join(root, 'a', 'b', 'p.yaml'), { recheck: 50 })
    const next = reader(source)
    expect((await next()).policy.name).toBe('old')
    // Two levels above what is watched.
    renameSync(join(root, 'a'), join(root, 'y'))
    renameSync(join(root, 'x'), join(root, 'a'))
    expect((await next()).policy.name).toBe('new')
  })

  it('has seen with check() what was there when it was called', async () => {
    const file = join(folder(), 'p.yaml')
    writeFileSync(file, policyText('0'))
    const source = watching(file)
    for (let turn = 1; turn <= 5; turn++) {
      void source.check()
      writeFileSync(file, policyText(`turn ${turn}`))
      await source.check()
      expect(source.policies().get('p')?.policy.name).toBe(`turn ${turn}`)
    }
  })

  it('gives a slow reader the latest of each name, and each reader all of them', async () => {
    const root = folder()
    writeFileSync(join(root, 'a.yaml'), policyText('a1'))
    writeFileSync(join(root, 'b.yaml'), policyText('b1'))
    const source = watching(root)
    const slow = reader(source)
    await source.ready()
    for (const version of [2, 3, 4]) {
      writeFileSync(join(root, 'a.yaml'), policyText(`a${version}`))
      await source.check()
    }
    expect([(await slow()).policy.name, (await slow()).policy.name]).toEqual(['b1', 'a4'])
    const late = reader(source)
    expect([(await late()).policy.name, (await late()).policy.name].sort()).toEqual(['a4', 'b1'])
  })

  it('ends its readers when it is closed, or its signal aborts', async () => {
    const file = join(folder(), 'p.yaml')
    const stop = new AbortController()
    const source = watching(file, { signal: stop.signal })
    await source.ready()
    const seen: string[] = []
    const reading = (async () => {
      for await (const { name } of source) seen.push(name)
    })()
    stop.abort()
    await within(reading, 'the end')
    expect(source.status().state).toBe('closed')
    writeFileSync(file, policyText('too late'))
    expect((await source.check()).state).toBe('closed')
    expect(seen).toEqual([])
    expect(watching(file, { signal: AbortSignal.abort() }).status().state).toBe('closed')
  })

  it('refuses options that are none', () => {
    for (const options of [{ settle: 0 }, { settle: Number.NaN }, { recheck: -1 }, { recheck: 2 ** 31 }])
      expect(() => watchPolicies('/nowhere', options)).toThrow(expect.objectContaining({ problem: 'option' }))
  })
})
