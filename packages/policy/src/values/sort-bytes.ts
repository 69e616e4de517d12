/** Sorted by the bytes of a text, as memcmp(3) orders them, shorter first; what has the same keeps its order. */
export function sortedByBytes<T>(items: readonly T[], text: (item: T) => string): readonly T[] {
  return items
    .map((item) => ({ item, key: Buffer.from(text(item)) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ item }) => item)
}
