/** Contestants take turns, round by round: what the machine does meanwhile hits them alike. */

export interface Contestant<T> {
  readonly name: string;
  readonly run: () => Promise<T>;
}

/** Results of each contestant by name, one a round. */
export async function interleave<T>(
  rounds: number,
  contestants: readonly Contestant<T>[],
): Promise<ReadonlyMap<string, readonly T[]>> {
  const results = new Map<string, T[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of contestants) results.get(name)!.push(await run());
  }
  return results;
}
