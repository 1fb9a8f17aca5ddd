/** How long something took, each time: a histogram that costs a few additions, read by prometheus-registry.ts. */

/** Upper bounds of the buckets, inclusive, in seconds. */
export const DURATION_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export class Durations {
  /** How often each bound was the lowest one that held; the last place is for what took longer than all of them. */
  readonly counts = new Float64Array(DURATION_BOUNDS.length + 1);
  #seconds = 0;

  observe(ms: number): void {
    const seconds = ms / 1000;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.#seconds += seconds;
  }

  /** Sum of all durations. */
  get seconds(): number {
    return this.#seconds;
  }
}
