import fs from 'node:fs'
import path from 'node:path'

/** Dependencies point one way: interface ← leaves ← core ← cli, apps. A package may use only what stands before it. */
const LAYERS = [['interface'], ['native', 'bpf', 'broker', 'policy', 'metrics', 'checkpoint'], ['core'], ['cli']]
const LEAVES = LAYERS[1]
const IMPORT = /\b(?:from|import)\s*\(?\s*['"](@pyisolate\/[\w-]+)([^'"]*)['"]/g

function layerOf(name) {
  return LAYERS.findIndex((layer) => layer.includes(name))
}

/** What published code of `from` may not do with `to`, or undefined. */
export function violation(from, to) {
  if (from === to) return 'a package does not import itself by name'
  if (to === 'test-kit' || to === 'benchmarks' || to === 'examples') return `${to} is private: only tests use it`
  if (layerOf(to) < 0) return `there is no package ${to} in tools/lint/boundaries.mjs`
  if (LEAVES.includes(from) && LEAVES.includes(to)) return 'leaves meet in interface, they do not import each other'
  if (layerOf(from) >= 0 && layerOf(to) >= layerOf(from))
    return `${from} stands before ${to}: dependencies point the other way`
  return undefined
}

/** Checks imports and manifests of the published packages' own code (src/); tests may use more. */
export function checkBoundaries(root, files) {
  const problems = []
  for (const file of files) {
    const match = /^packages\/([\w-]+)\/src\/.*\.[cm]?tsx?$/.exec(file)
    if (!match || layerOf(match[1]) < 0) continue
    const text = fs.readFileSync(path.join(root, file), 'utf8')
    const manifest = JSON.parse(fs.readFileSync(path.join(root, 'packages', match[1], 'package.json'), 'utf8'))
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
    for (const [, name, subpath] of text.matchAll(IMPORT)) {
      const why = violation(match[1], name.slice('@pyisolate/'.length))
      if (why) problems.push(`${file}: imports ${name}: ${why}`)
      else if (!Object.hasOwn(declared, name))
        problems.push(`${file}: imports ${name}, which package.json does not declare`)
      if (subpath.startsWith('/internal') || subpath.startsWith('/src'))
        problems.push(`${file}: reaches inside ${name}`)
    }
    for (const [, target] of text.matchAll(/\bfrom\s+['"]((?:\.\.\/)+[^'"]+)['"]/g)) {
      const resolved = path.join(path.dirname(file), target)
      if (!resolved.startsWith(`packages/${match[1]}/`))
        problems.push(`${file}: imports ${target}, outside its own package`)
    }
  }
  return problems
}
