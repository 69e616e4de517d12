import { expect, test } from 'vitest'
import { checkText } from '../hosts.mjs'

test.each([
  'https://registry.npmjs.org/x',
  'URIs: http://deb.debian.org/debian',
  'curl https://nodejs.org/dist/v20/node.tar.gz',
  'PREFIX=/root/.cache/pyisolate',
  'cd /home/alice/project',
])('%s is reported', (text) => {
  expect(checkText(`first\n${text}`)).toEqual([expect.stringMatching(/^2: names /)])
})

test.each([
  'see https://nodejs.org/api/process.html',
  '/usr/lib/python3',
  '$HOME/.cache/pyisolate',
  'a/root/.x in a path',
  '/home/user/project',
])('%s is fine', (text) => expect(checkText(text)).toEqual([]))
