import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { compilePolicy, PolicyError, templateNames } from '../src/index.js'
import { FUZZ_MS, fuzz, type Random } from './random.js'

function problem(text: string): PolicyError {
  try {
    compilePolicy(text, { file: 'p.yaml' })
  } catch (error) {
    expect(error).toBeInstanceOf(PolicyError)
    return error as PolicyError
  }
  throw new Error(`it was taken: ${text.slice(0, 200)}`)
}

describe('an error names its problem, its place and what would be right', () => {
  it.each<[string, string, string, string, string?]>([
    ['an empty document', '', 'syntax', '1:1'],
    ['only a comment', '# nothing\n', 'syntax', '1:1'],
    ['a list', '- version: 1', 'value', '1:1'],
    ['no version', 'name: x', 'missing-key', '1:1'],
    ['another version', 'version: 2', 'value', '1:10', '1'],
    ['broken YAML', 'version: 1\nfs: [1\nnet: 2', 'syntax', '3:1'],
    ['a tab for indentation', 'version: 1\nfs:\n\tread: []', 'syntax', '3:1'],
    ['two documents', 'version: 1\n---\nversion: 1', 'syntax', '1:1'],
    ['an unknown key', 'version: 1\nfs:\n  raed: []', 'unknown-key', '3:3', 'read'],
    ['an unknown section', 'version: 1\nlimit: {}', 'unknown-key', '2:1', 'limits'],
    ['__proto__', 'version: 1\n__proto__: {}', 'unknown-key', '2:1'],
    ['constructor', 'version: 1\nlimits: {constructor: 1}', 'unknown-key', '2:10'],
    ['a key twice', 'version: 1\nname: a\nname: b', 'duplicate-key', '3:1'],
    ['an alias', 'version: 1\nname: &x y\ndescription: *x', 'alias', '3:14'],
    ['a merge key', 'version: 1\nfs: &f {read: []}\nnet: {<<: *f}', 'alias', '3:11'],
    ['a tag', 'version: !!int 1', 'syntax', '1:10'],
    ['a key that is a list', 'version: 1\n? [a]\n: b', 'syntax', '2:3'],
    ['text for a list', 'version: 1\nfs:\n  read: /etc/**', 'value', '3:9'],
    ['a list for text', 'version: 1\nname: [x]', 'value', '2:7'],
    ['an unknown word', 'version: 1\nenforcement: strickt', 'value', '2:14', 'strict'],
    ['a missing unit', "version: 1\nlimits:\n  wallTime: '30'", 'value', '3:13'],
    ['a wrong unit', 'version: 1\nlimits:\n  memory: 256 Mib', 'value', '3:11'],
    ['too little', 'version: 1\nlimits:\n  memory: 1kB', 'value', '3:11'],
    ['a relative path', 'version: 1\nfs:\n  read:\n    - etc/passwd', 'path', '4:7'],
    ['.. in a path', 'version: 1\nfs:\n  read:\n    - /data/../etc', 'path', '4:7'],
    ['. in a path', 'version: 1\nfs:\n  read: [/data/./x]', 'path', '3:10'],
    ['an empty segment', 'version: 1\nfs:\n  read: ["/data//x"]', 'path', '3:10'],
    ['a slash at the end', 'version: 1\nfs:\n  read: [/data/]', 'path', '3:10'],
    ['a star in the middle', 'version: 1\nfs:\n  read: [/data/*/x]', 'path', '3:10'],
    ['an unknown variable', 'version: 1\nfs:\n  read: [$HOME/**]', 'path', '3:10'],
    ['a NUL character', 'version: 1\nfs:\n  read: ["/a\\0b"]', 'path', '3:10'],
    ['half a character', 'version: 1\nfs:\n  read: ["/a\\ud800"]', 'path', '3:10'],
    ['a path longer than any', `version: 1\nfs:\n  read: [${'/abcdefg'.repeat(512)}]`, 'path', '3:10'],
    ['all below the root, twice', 'version: 1\nfs:\n  read: [//**]', 'path', '3:10'],
    ['a folder of procfs', 'version: 1\nfs:\n  read: [/proc/self/**]', 'path', '3:10'],
    ['procfs that is denied, which says nothing', 'version: 1\nfs:\n  deny: [/proc]', 'path', '3:10'],
    ['a socket in procfs', 'version: 1\nnet:\n  connect: [unix:///proc/1/root/x]', 'path', '3:13'],
    ['a socket that is the root', 'version: 1\nnet:\n  connect: [unix:///]', 'target', '3:13'],
    ['an abstract socket without a name', 'version: 1\nnet:\n  connect: ["unix://@"]', 'target', '3:13'],
    ['one with a name too long', `version: 1\nnet:\n  connect: ["unix://@${'x'.repeat(108)}"]`, 'target', '3:13'],
    ['an address with a zone', 'version: 1\nnet:\n  connect: ["tcp://[fe80::1%eth0]:80"]', 'target', '3:13'],
    ['a system call that no sandbox has', 'version: 1\nsyscalls:\n  allow: [ptrace]', 'forbidden', '3:11'],
    ['a misspelt system call', 'version: 1\nsyscalls:\n  deny: [fsnyc]', 'value', '3:10', 'fsync'],
    ['a target without a port', 'version: 1\nnet:\n  connect: [tcp://example.org]', 'target', '3:13'],
    ['a port too large', 'version: 1\nnet:\n  connect: [tcp://example.org:65536]', 'target', '3:13'],
    ['a range the wrong way round', 'version: 1\nnet:\n  connect: [tcp://example.org:90-80]', 'target', '3:13'],
    ['an address with too many parts', 'version: 1\nnet:\n  connect: [tcp://1.2.3.4.5:80]', 'target', '3:13'],
    ['an octal address', 'version: 1\nnet:\n  connect: [tcp://010.0.0.1:80]', 'target', '3:13'],
    ['host bits in a network', 'version: 1\nnet:\n  connect: [tcp://10.0.0.1/8:80]', 'target', '3:13'],
    ['IPv4 mapped into IPv6', 'version: 1\nnet:\n  connect: ["tcp://[::ffff:10.0.0.1]:80"]', 'target', '3:13'],
    ['an unknown protocol', 'version: 1\nnet:\n  connect: [http://example.org:80]', 'target', '3:13'],
    ['an unknown parent', 'version: 1\nextends: comptue', 'not-found', '2:10', 'compute'],
    ['a parent that is not there', 'version: 1\nextends: ./no-such-file.yaml', 'not-found', '2:10'],
    ['allowed and denied', 'version: 1\nfs:\n  read: [/a/b]\n  deny: [/a/**]', 'contradiction', '3:10'],
    [
      'a network denied whole',
      'version: 1\nnet:\n  connect: [tcp://10.1.0.0/16:443]\n  deny: ["tcp://10.0.0.0/8:*"]',
      'contradiction',
      '3:13',
    ],
    ["a parent's denial", 'version: 1\nextends: compute\nimports: {allow: [socket]}', 'contradiction', '3:19'],
  ])('%s', (_title, text, name, place, suggestion) => {
    const error = problem(text)
    expect([error.problem, `${error.place.line}:${error.place.column}`]).toEqual([name, place])
    expect(error.message).toContain(`p.yaml:${place}: `)
    expect(error.code).toBe('ERR_PYISOLATE_POLICY')
    expect(error.suggestion).toBe(suggestion)
  })

  it('a document of more than a mebibyte', () => {
    expect(problem(`version: 1\n# ${'x'.repeat(2 ** 20)}`).problem).toBe('too-large')
  })

  it('nesting without end', () => {
    expect(problem(`version: 1\nfs: ${'['.repeat(5000)}`).problem).toBe('syntax')
  })

  it('a circle of parents', () => {
    const files: Record<string, string> = { './a': 'version: 1\nextends: ./b', './b': 'version: 1\nextends: [./a]' }
    const resolve = (name: string) => ({ file: name, text: files[name]! })
    expect(() => compilePolicy(files['./a']!, { file: './a', resolve })).toThrow(/\.\/a → \.\/b → \.\/a/)
  })
})

describe('whatever is thrown at it', () => {
  const compiles = (text: string): boolean => {
    try {
      compilePolicy(text)
      return true
    } catch (error) {
      if (!PolicyError.isInstance(error)) throw new Error(`for ${JSON.stringify(text)}`, { cause: error })
      // Where an editor would show it: inside the text.
      const lines = text.split('\n')
      expect(error.place.line, error.message).toBeLessThanOrEqual(lines.length)
      expect(error.place.column).toBeGreaterThan(0)
      return false
    }
  }

  it('is a policy or a PolicyError', { timeout: FUZZ_MS + 20_000 }, () => {
    const pieces = [
      'version: 1\n',
      'fs:',
      'read',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '!!x',
      '"',
      "'",
      '|',
      '>',
      '/etc/**',
      '#',
      '\0',
      '🦔',
      '<<',
      '---',
      '...',
      '\t',
      ',',
      '?',
      '%',
    ]
    fuzz((random) => {
      compiles(Array.from({ length: random(20) }, () => pieces[random(pieces.length)]).join(''))
    }, 100)
  })

  it('is one or the other, too, when it is nearly a policy', { timeout: FUZZ_MS + 20_000 }, () => {
    const texts = templateNames().map((name) =>
      readFileSync(new URL(`../templates/${name}.yaml`, import.meta.url), 'utf8'),
    )
    const seen = { compiled: 0, refused: 0 }
    fuzz((random) => {
      const text = spoiled(texts[random(texts.length)]!, random)
      const loaded = compiles(text)
      seen[loaded ? 'compiled' : 'refused']++
      // Whatever is taken, the YAML library by itself takes, and sees no other keys in it.
      if (loaded) {
        const known = Object.keys(load(text) as object)
        expect(sections, known.join()).toEqual(expect.arrayContaining(known))
      }
    }, 200)
    expect(Math.min(seen.compiled, seen.refused), JSON.stringify(seen)).toBeGreaterThan(10)
  })
})

const sections = [
  ...['version', 'name', 'description', 'extends', 'fs', 'net'],
  ...['syscalls', 'imports', 'limits', 'contracts', 'enforcement'],
]

/** A text with a few lines taken out, doubled, moved in or out, or a few characters changed. */
function spoiled(text: string, random: Random): string {
  const lines = text.split('\n')
  for (let times = 0; times <= random(3); times++) {
    const at = random(lines.length)
    const line = lines[at]!
    const column = random(line.length + 1)
    const put = ['#', ':', '- ', ' ', '"', "'", '[', '{', '\t', '*', '&a ', '!', '|', '%', '\0', '$TMP', '0', 'é', '~'][
      random(19)
    ]!
    const change = random(6)
    if (change === 0) lines.splice(at, 1)
    else if (change === 1) lines.splice(random(lines.length), 0, line)
    else if (change === 2) lines[at] = random(2) === 0 ? `  ${line}` : line.replace(/^ {2}/, '')
    else if (change === 3) lines[at] = line.slice(0, column) + put + line.slice(column)
    else if (change === 4) lines[at] = line.slice(0, column) + line.slice(column + 1 + random(4))
    else lines[at] = line.slice(0, column) + put + line.slice(column + 1)
  }
  return lines.join('\n')
}
