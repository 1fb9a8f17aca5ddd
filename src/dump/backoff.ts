/** How long to wait after a failure: exponential with full jitter, so that many failing files do not come back at once. */

export interface Backoff {
  /** Milliseconds: never shorter than `min`, never longer than `max`. */
  readonly min: number;
  readonly max: number;
}

/**
 * The pause in ms before the next try after `failures` (1 and up) in a row: uniform between `min` and a ceiling that
 * begins at twice `min` and doubles with each failure up to `max`. `fraction` is uniform in [0, 1).
 */
export function retryDelay(failures: number, { min, max }: Backoff, fraction: number): number {
  const ceiling = Math.min(max, min * 2 ** Math.min(failures, 32));
  return min + Math.max(0, ceiling - min) * fraction;
}
