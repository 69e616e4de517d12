import fs from 'node:fs'
import path from 'node:path'

/** Cheap and basic first: when the foundation is broken, that is what the reader should see first. */
const ORDER = ['tools', 'interface', 'test-kit', 'core', 'native', 'cli']

/** Packages whose tests time nothing and share nothing: run beside each other. Whoever meets the engine is run alone. */
const BESIDE = ['tools', 'interface', 'test-kit', 'bpf', 'broker', 'policy']

/** @returns {{beside: object[], alone: object[]}} the same packages, by whether they may be run at once */
export function byCompany(packages) {
  const beside = packages.filter(({ name }) => BESIDE.includes(name))
  const alone = packages.filter(({ name }) => !BESIDE.includes(name))
  return beside.length > 1 ? { beside, alone } : { beside: [], alone: packages }
}

/** Every folder with a vitest configuration, as { name, folder }; the name is the folder's own. */
export function testedPackages(root) {
  const below = (parent) => {
    const full = path.join(root, parent)
    return fs.existsSync(full) ? fs.readdirSync(full).map((name) => path.join(full, name)) : []
  }
  const folders = [path.join(root, 'tools'), ...below('packages'), ...below('apps'), path.join(root, 'benchmarks')]
  const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length)
  return folders
    .filter(
      (folder) =>
        fs.existsSync(folder) && fs.readdirSync(folder).some((name) => /^vitest\.config\.m?[jt]s$/.test(name)),
    )
    .map((folder) => ({ name: path.basename(folder), folder }))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name))
}
