/**
 * Whether a name fits a pattern: `*` stands for any characters, none included, `?` for one; all others for themselves.
 * Takes time in proportion to the product of their lengths at most, whatever they are.
 */
export function fitsPattern(name: string, pattern: string): boolean {
  const text = [...name]
  const wanted = [...pattern]
  let at = 0
  let next = 0
  // Where the last star was, and how far the text was then: it takes one more character when what follows doesn't fit.
  let star = -1
  let from = 0
  while (at < text.length) {
    if (wanted[next] === '*') {
      star = next++
      from = at
    } else if (next < wanted.length && (wanted[next] === '?' || wanted[next] === text[at])) {
      next++
      at++
    } else if (star >= 0) {
      next = star + 1
      at = ++from
    } else {
      return false
    }
  }
  return wanted.slice(next).every((character) => character === '*')
}
