import fs from 'node:fs'
import path from 'node:path'
import { hashTree, readJson, requireSpace, writeAtomically } from './cache.mjs'
import { capture, run } from './exec.mjs'
import { SetupFailure } from './failure.mjs'
import { registryFailure } from './registry.mjs'

/** The pinned version: package.json's packageManager field is the one place that names it. */
export function pnpmVersion(root) {
  const { packageManager } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  return packageManager.replace(/^pnpm@/, '').replace(/\+.*$/, '')
}

export function pnpmFolder(root, cache) {
  return path.join(cache, 'tools', `pnpm-${pnpmVersion(root)}`)
}

/** The script that is pnpm, to be run by this Node. */
export function pnpmProgram(root, cache) {
  return path.join(pnpmFolder(root, cache), 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
}

/** PATH with our pnpm in front, for turbo and scripts that call it by name. */
export function withPnpm(root, cache, env = process.env) {
  return { ...env, PATH: `${path.join(pnpmFolder(root, cache), 'node_modules', '.bin')}:${env.PATH}` }
}

/** What pnpm takes, twice over. */
const PNPM_BYTES = 64 * 2 ** 20

/** On a full disk npm installs files that are cut short, and calls that a success: believe what runs. */
function checkPnpm(folder, version, { cache, log, statfs }) {
  requireSpace(cache, 2 ** 20, 'pnpm', statfs)
  const program = path.join(folder, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
  const said = capture(process.execPath, [program, '--version'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  if (said?.trim() === version) return
  throw new SetupFailure('DEPENDENCIES', `what npm installed as pnpm ${version} does not run: try again`, { log })
}

export async function providePnpm({ root, cache, log, report, statfs }) {
  const folder = pnpmFolder(root, cache)
  if (fs.existsSync(path.join(folder, 'node_modules', '.bin', 'pnpm'))) return
  const temporary = `${folder}.${process.pid}.tmp`
  fs.rmSync(temporary, { recursive: true, force: true })
  fs.mkdirSync(temporary, { recursive: true })
  try {
    requireSpace(cache, PNPM_BYTES, 'pnpm', statfs)
    await npmInstall(`pnpm@${pnpmVersion(root)}`, temporary, { log, report })
    checkPnpm(temporary, pnpmVersion(root), { cache, log, statfs })
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true })
    throw error
  }
  fs.rmSync(folder, { recursive: true, force: true })
  fs.renameSync(temporary, folder)
}

// Long enough for a hiccup, short enough to say soon that there is no network.
const RETRY = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']

/** npm is what a machine with Node has: everything else comes through it. */
export async function npmInstall(spec, folder, { log, report }) {
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    // `npm --silent start` hands that down as well, and an error without its code helps nobody.
    '--loglevel=error',
    ...RETRY,
    spec,
  ]
  // Inside `npm start` npm hands its own settings down; a prefix among them would win over ours.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_config_.*prefix$/i.test(name)))
  await run('npm', args, {
    log,
    env,
    onLine: report,
    cwd: folder,
    failure: (tail) => registryFailure('npm', tail, log),
  })
}

function manifests(root) {
  const packages = ['packages', 'apps', 'benchmarks'].flatMap((folder) => {
    const own = [`${folder}/package.json`]
    const full = path.join(root, folder)
    const inside = fs.existsSync(full) ? fs.readdirSync(full, { withFileTypes: true }) : []
    const nested = inside.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}/package.json`)
    return [...own, ...nested]
  })
  return ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...packages]
}

export async function installDependencies({ root, cache, log, report }) {
  const stamp = path.join(root, 'node_modules', '.pyisolate-install.json')
  const inputs = hashTree(root, manifests(root))
  if (readJson(stamp)?.inputs === inputs) return
  // CI=true: pnpm must not ask before it replaces a node_modules that another version laid out.
  const env = { ...withPnpm(root, cache), CI: 'true' }
  await run('pnpm', ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=info'], {
    log,
    env,
    cwd: root,
    onLine: report,
    failure: (tail) => registryFailure('pnpm', tail, log),
  })
  writeAtomically(stamp, JSON.stringify({ inputs }))
}
