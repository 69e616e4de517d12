import { fileURLToPath } from 'node:url'

const CFI_IGNORE_LIST = fileURLToPath(new URL('./cfi-ignorelist.txt', import.meta.url))

// Branch protection is spelled by architecture; everything else is the same.
const BRANCH_PROTECTION = { x64: '-fcf-protection', arm64: '-mbranch-protection=standard' }

const HARDENING = [
  '-fPIE',
  '-fstack-protector-strong',
  BRANCH_PROTECTION[process.arch] ?? '',
  // Some distributions' compilers define it themselves; a second definition would only warn, loudly.
  '-U_FORTIFY_SOURCE',
  '-D_FORTIFY_SOURCE=3',
  '-g0',
].filter(Boolean)

// Of CPython, which is C, every indirect call is checked; of the engine, virtual calls and casts of classes as well.
const CFI_COMMON = [
  '-flto=thin',
  '-fsanitize-cfi-icall-generalize-pointers',
  `-fsanitize-ignorelist=${CFI_IGNORE_LIST}`,
]
const CFI = ['-fsanitize=cfi-icall', ...CFI_COMMON]
const ENGINE_CFI = ['-fsanitize=cfi', '-fvisibility=hidden', ...CFI_COMMON]

/**
 * How CPython and the engine are compiled. `packages` are what the profile needs beyond the common list,
 * `spaceMiB` is what a CPython build takes at its peak, source and installation included.
 */
export const PROFILES = {
  standard: {
    name: 'standard',
    cc: 'gcc',
    cxx: 'g++',
    packages: ['g++'],
    cflags: HARDENING,
    ldflags: ['-Wl,-z,relro,-z,now'],
    cfi: [],
    tools: {},
    spaceMiB: 900,
  },
  hardened: {
    name: 'hardened',
    cc: 'clang-19',
    cxx: 'clang++-19',
    // g++ as well: it brings the C++ standard library that clang uses. libclang-rt: clang's own ignore-list for CFI,
    // which clang only recommends.
    packages: ['g++', 'clang-19', 'lld-19', 'llvm-19', 'libclang-rt-19-dev'],
    cflags: [...HARDENING, ...CFI],
    ldflags: ['-fuse-ld=lld', ...CFI, '-Wl,-z,relro,-z,now'],
    // What the engine must be compiled and linked with as well: CPython's objects are bitcode then.
    cfi: ['-fuse-ld=lld', ...ENGINE_CFI],
    tools: { AR: 'llvm-ar-19', RANLIB: 'llvm-ranlib-19', NM: 'llvm-nm-19' },
    spaceMiB: 2_000,
  },
}

export function selectProfile(env = process.env) {
  const name = env.PYISOLATE_PROFILE || 'standard'
  return Object.hasOwn(PROFILES, name) ? PROFILES[name] : undefined
}
