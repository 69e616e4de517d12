// Before this package is packed: puts what was built here, and the standard library it needs, into `prebuilt`; afterwards, with --remove, takes it away.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const built = path.join(folder, 'build', 'Release')
const target = path.join(folder, 'prebuilt', `${process.platform}-${process.arch}`)
fs.rmSync(path.dirname(target), { recursive: true, force: true })
if (process.argv.includes('--remove')) process.exit(0)

// Neither of use in a cell, nor small.
const leftOut = new Set(['test', 'idlelib', 'tkinter', 'turtledemo', 'ensurepip', 'site-packages', '__pycache__'])

const home = path.join(built, 'python-home.json')
const parts = ['pyisolate-engine', 'pyisolate_native.node']
for (const file of [home, ...parts.map((name) => path.join(built, name))]) {
  if (!fs.existsSync(file)) throw new Error(`${file} is missing: run \`npm run set-up\` before packing`)
}
const { stdlib, version } = JSON.parse(fs.readFileSync(home, 'utf8'))
const inside = path.join('python', 'lib', path.basename(stdlib))

fs.mkdirSync(target, { recursive: true })
for (const name of parts) fs.copyFileSync(path.join(built, name), path.join(target, name))
fs.cpSync(stdlib, path.join(target, inside), {
  recursive: true,
  dereference: true,
  filter: (file) => !leftOut.has(path.basename(file)) && !path.basename(file).startsWith('config-'),
})
fs.writeFileSync(
  path.join(target, 'python-home.json'),
  `${JSON.stringify({ prefix: 'python', version, stdlib: inside }, null, 2)}\n`,
)
