/**
 * Takes samples of several things turn by turn, so that whatever else the machine does meets all of them alike.
 * Which of them comes first changes from round to round.
 */
export async function alternate(
  rounds: number,
  parts: readonly (() => Promise<number | readonly number[]>)[],
): Promise<number[][]> {
  const samples: number[][] = parts.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < parts.length; turn++) {
      const which = (round + turn) % parts.length
      samples[which]!.push(...[await parts[which]!()].flat())
    }
  }
  return samples
}

export const nsToUs = (samples: readonly number[]): number[] => samples.map((ns) => ns / 1000)
