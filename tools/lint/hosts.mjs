import fs from 'node:fs'
import path from 'node:path'

/** Registries and mirrors are the machine's business: what is installed comes from wherever it is set up to come. */
const REGISTRIES = [
  'npmjs\\.(?:org|com)',
  'yarnpkg\\.com',
  'npmmirror\\.com',
  'pypi\\.org',
  'pythonhosted\\.org',
  'crates\\.io',
  '(?:deb|ftp|security|snapshot|archive)\\.(?:[a-z]+\\.)?debian\\.org',
  '(?:archive|security|ports)\\.ubuntu\\.com',
  'nodejs\\.org/(?:dist|download)',
  'python\\.org/ftp',
  'nodesource\\.com',
  'apt\\.llvm\\.org',
  'ghcr\\.io',
  'docker\\.io',
]

/** Paths of somebody's own machine; what the system defines (/usr, /etc, /proc, /tmp) is fine. */
const MACHINE_PATHS = [
  '/root/[\\w.]',
  '/home/(?!user\\b|me\\b|you\\b)[a-z]\\w*/',
  '/Users/\\w',
  '/work/[a-z.]',
  '/farm/\\w',
]

const HOST = new RegExp(`\\b(?:${REGISTRIES.join('|')})`, 'i')
const MACHINE = new RegExp(`(?<![\\w.$})-])(?:${MACHINE_PATHS.join('|')})`)
const BINARY = /\.(?:png|gif|ico|gz|xz|zip|cbor|bin|node)$/

export function checkText(text) {
  return text.split('\n').flatMap((line, index) => {
    const host = HOST.exec(line)
    const machine = MACHINE.exec(line)
    return [
      ...(host ? [`${index + 1}: names the registry ${host[0]}`] : []),
      ...(machine ? [`${index + 1}: names a path of one machine, ${machine[0]}…`] : []),
    ]
  })
}

/** This file and its test have to spell out what they look for. */
const OWN = ['tools/lint/hosts.mjs', 'tools/lint/test/hosts.test.mjs']

export function checkHosts(root, files) {
  return files
    .filter((file) => !BINARY.test(file) && !OWN.includes(file))
    .flatMap((file) => checkText(fs.readFileSync(path.join(root, file), 'utf8')).map((problem) => `${file}:${problem}`))
}
