/** Medians, ratios and how they are written. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What a run got over what its neighbour in the same round got, round by round. */
export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, round) => value / to[round]!);
}

/** `median (min–max)`, in k from 10,000 on. */
export function spread(values: readonly number[], digits = 0): string {
  const thousands = median(values) >= 10_000;
  const shown = (value: number) =>
    thousands ? (value / 1000).toFixed(value < 100_000 ? 1 : 0) : value.toFixed(digits);
  const unit = thousands ? ' k' : '';
  return `${shown(median(values))}${unit} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`;
}

export function ratioSpread(values: readonly number[]): string {
  const digits = median(values) >= 10 ? 1 : 2;
  return spread(values, digits);
}
