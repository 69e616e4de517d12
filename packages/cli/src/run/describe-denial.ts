import type { Denial } from '@pyisolate/core'

/** Under which key a rule would allow it. None executes a program: no cell does. */
const sections: Readonly<Partial<Record<Denial['operation'], string>>> = {
  read: 'fs.read',
  write: 'fs.write',
  connect: 'net.connect',
  bind: 'net.bind',
  sendto: 'net.sendto',
  socket: 'net',
  resolve: 'net.dns',
}

/** What was denied, and the line of the policy to change, on one line. */
export function describeDenial({ operation, object, name, rule, policy, errno, lost }: Denial): string {
  const more = lost > 0 ? `; ${lost} more were not told` : ''
  if (operation === 'limit') {
    const place = rule === undefined ? '' : ` (${rule.file}:${rule.line})`
    return `reached the limit ${object}${errno === undefined ? '' : `, ${errno}`}${place}${more}`
  }
  const what = `denied to ${operation} ${object}${name === undefined ? '' : ` (${name})`}${errno === undefined ? '' : `, ${errno}`}`
  const section = sections[operation]
  const unruled = `no rule ${section === undefined ? 'of any policy' : `of the policy ${policy}`} allows it`
  const why =
    rule === undefined
      ? `${unruled}${section === undefined ? '' : `; one under ${section} would`}`
      : `${rule.section}: ${rule.text} (${rule.file}:${rule.line})`
  return `${what}: ${why}${more}`
}
