import fs from 'node:fs'
import path from 'node:path'
import { capture, run } from '../exec.mjs'
import { SetupFailure } from '../failure.mjs'
import { aptFailure } from '../packages.mjs'
import { candidateSuites, deriveSources, readMachineSources } from './sources.mjs'

/** apt with lists, sources and cache of its own: the machine's configuration is read, never touched. */
export function privateApt(folder) {
  for (const name of ['parts', 'lists/partial', 'cache/archives/partial']) {
    fs.mkdirSync(path.join(folder, name), { recursive: true })
  }
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': path.join(folder, 'parts'),
    'Dir::State::Lists': path.join(folder, 'lists'),
    'Dir::Cache': path.join(folder, 'cache'),
    // Without this, apt reports success when it could fetch nothing.
    'APT::Update::Error-Mode': 'any',
    // The folder is the user's own, closed to the _apt account that root's apt would switch to.
    'APT::Sandbox::User': capture('id', ['-un'])?.trim() ?? 'root',
    // The source index is all we need.
    'Acquire::Languages': 'none',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

const NAME_ANOTHER = 'PYISOLATE_PYTHON can name a free-threaded 3.13'

/**
 * The versions of the source package that can be had, as { suite, version, options }: suite by suite as they are
 * preferred, the newest first. The index is verified by apt against the distribution's key; the files named in it are
 * verified by their hashes when downloaded.
 */
export async function* sources({ folder, release, log, report, etc }) {
  const suites = candidateSuites(release)
  const entries = readMachineSources(etc)
  const codename = release.VERSION_CODENAME
  let found = false
  let problem = new SetupFailure(
    'PYTHON_SOURCE',
    `no source of CPython 3.13 is known for ${release.PRETTY_NAME ?? 'this system'}: ${NAME_ANOTHER}`,
  )
  for (const suite of suites) {
    const text = deriveSources(entries, codename, suite)
    if (!text) {
      throw new SetupFailure(
        'PYTHON_SOURCE',
        `apt's configuration names no repository of this distribution: ${NAME_ANOTHER}`,
      )
    }
    const own = path.join(folder, suite)
    const options = privateApt(own)
    fs.writeFileSync(path.join(own, 'parts', 'python.sources'), text)
    try {
      report(`reading ${suite}'s source index`)
      await run('apt-get', [...options, '-q', 'update'], {
        log,
        env: aptEnv(),
        failure: (tail) => aptFailure('update', tail, log),
      })
    } catch (error) {
      problem = error
      continue
    }
    const shown = capture('apt-cache', [...options, 'showsrc', '--only-source', 'python3.13'], { env: aptEnv() })
    for (const version of newestFirst(shown)) {
      found = true
      yield { suite, version, options }
    }
  }
  if (!found) throw problem
}

/**
 * The first of them whose files are there, unpacked by `take`: a release whose time is over, or a mirror, may have an
 * index of what it doesn't have any more. Resolves to what `take` does. @throws SetupFailure of the first that was gone
 */
export async function firstToBeHad(candidates, take, report) {
  const gone = []
  for await (const source of candidates) {
    try {
      return await take(source)
    } catch (error) {
      if (error.code !== 'GONE') throw error
      gone.push({ source, error })
      report(`python3.13 ${source.version} of ${source.suite} is gone: looking for another`)
    }
  }
  const tried = gone.map(({ source }) => `${source.version} of ${source.suite}`).join(', ')
  throw new SetupFailure(
    'PYTHON_SOURCE',
    `the repository has an index of CPython's source, but not its files (${tried}): use another mirror, or ${NAME_ANOTHER}`,
    { log: gone.at(0)?.error.log },
  )
}

function aptEnv() {
  return { ...process.env, LC_ALL: 'C' }
}

function newestFirst(text = '') {
  const versions = [...new Set([...text.matchAll(/^Version: (\S+)$/gm)].map((match) => match[1]))]
  const newer = (one, other) => capture('dpkg', ['--compare-versions', one, 'gt', other]) !== undefined
  return versions.sort((one, other) => (newer(one, other) ? -1 : 1))
}

export async function unpackSource(source, { folder, log, report }) {
  const target = path.join(folder, 'source')
  if (fs.existsSync(target)) return target

  fs.rmSync(folder, { recursive: true, force: true })
  fs.mkdirSync(folder, { recursive: true })
  const fetching = ['-q', 'source', '--download-only', '--only-source', `python3.13=${source.version}`]
  report(`downloading python3.13 ${source.version} from ${source.suite}`)
  await run('apt-get', [...source.options, ...fetching], {
    log,
    cwd: folder,
    env: aptEnv(),
    failure: (tail) => aptFailure('source', tail, log),
  })
  const dsc = fs.readdirSync(folder).find((name) => name.endsWith('.dsc'))
  if (!dsc) throw new SetupFailure('PYTHON_SOURCE', 'apt delivered no source package', { log })
  report('unpacking and patching')
  // dpkg-source also checks the uploader's signature where debian-keyring is installed. Without it there is only
  // a warning, and nothing is lost: apt has verified this very file by the hash in the signed index.
  const partial = path.join(folder, 'partial')
  await run('dpkg-source', ['-x', dsc, partial], {
    log,
    cwd: folder,
    failure: () => new SetupFailure('PYTHON_SOURCE', `dpkg-source can't unpack ${dsc}`, { log }),
  })
  fs.renameSync(partial, target)
  return target
}
