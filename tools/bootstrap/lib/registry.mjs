import { SetupFailure } from './failure.mjs'

/**
 * What helps, by the code that npm or pnpm ended with: npm's own (its "Common Errors" page), pnpm's (ERR_PNPM_…),
 * and those of Node.js and OpenSSL that both hand on.
 */
const REMEDIES = [
  [
    /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL)$/,
    'NETWORK',
    "the package registry can't be reached: is the network up, and are registry and proxy of `npm config list` right?",
  ],
  [
    /^(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/,
    'CERTIFICATE',
    "the registry's certificate is not believed: NODE_EXTRA_CA_CERTS names a file with its authority's",
  ],
  [
    /^(?:E404|ETARGET|ENOVERSIONS|ERR_PNPM_FETCH_404|ERR_PNPM_NO_MATCHING_VERSION)$/,
    'DEPENDENCIES',
    "the registry doesn't have it: is the registry of `npm config list` the one you mean?",
  ],
  [
    /^(?:E401|E403|ENEEDAUTH|ERR_PNPM_FETCH_40[13])$/,
    'DEPENDENCIES',
    'the registry wants another login: see `npm login`',
  ],
  [
    /^(?:EACCES|EPERM|EROFS)$/,
    'PERMISSION',
    'this user may not write there: give it the folder, or let PYISOLATE_CACHE name another',
  ],
  [/^(?:ENOSPC|EDQUOT)$/, 'DISK', 'the disk is full: make room; PYISOLATE_CACHE can put the cache elsewhere'],
  [
    /^(?:EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY)$/,
    'DEPENDENCIES',
    "what came is not what was published: empty npm's cache (`npm cache clean --force`), or ask who runs the mirror",
  ],
  [
    /^ERR_PNPM_OUTDATED_LOCKFILE$/,
    'LOCKFILE',
    "pnpm-lock.yaml does not match the packages' manifests: run pnpm install and commit it",
  ],
]

/** Causes that pnpm only mentions in its messages: a request "failed, reason: connect ECONNREFUSED …". */
const MENTIONED =
  /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|CERT_HAS_EXPIRED|ENOSPC|EDQUOT|EACCES|EROFS)\b/

/** npm says "npm error code E404", and "npm ERR! code E404" before version 10. */
export function registryCode(tail) {
  return (
    /^npm (?:ERR!|error) code (\S+)/m.exec(tail)?.[1] ??
    MENTIONED.exec(tail)?.[0] ??
    /\bERR_PNPM_[A-Z0-9_]+/.exec(tail)?.[0]
  )
}

/** The failure of `npm install` or `pnpm install`, by its code; the last lines it printed are `tail`. */
export function registryFailure(tool, tail, log) {
  const code = registryCode(tail)
  if (code === undefined) return new SetupFailure('DEPENDENCIES', `${tool} install failed${lastError(tail)}`, { log })
  const [, kind, remedy] = REMEDIES.find(([pattern]) => pattern.test(code)) ?? []
  const what = remedy ?? detail(tail, code)
  const path = kind === 'PERMISSION' ? /^npm (?:ERR!|error) path (.+)$/m.exec(tail)?.[1] : undefined
  const named = path === undefined ? code : `${code} (${path})`
  return new SetupFailure(kind ?? 'DEPENDENCIES', `${tool} install failed with ${named}${what ? `: ${what}` : ''}`, {
    log,
  })
}

/** What npm says of a code that we have no advice for: its first line that isn't "code" or "errno". */
function detail(tail, code) {
  const lines = [...tail.matchAll(/^npm (?:ERR!|error) (.+)$/gm)].map((match) => match[1].trim())
  const said = lines.find((line) => !/^(?:code|errno|syscall|path) /.test(line))
  return (
    said ??
    tail
      .split('\n')
      .find((line) => line.includes(code))
      ?.trim() ??
    ''
  ).slice(0, 160)
}

function lastError(tail) {
  const line = tail.split('\n').findLast((text) => /error|ERR/i.test(text))
  return line ? `: ${line.trim().slice(0, 160)}` : ''
}
