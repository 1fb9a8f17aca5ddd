/**
 * Runs a job for whoever asks, and at most once in a while: everybody who asks gets a run that begins after that, and all
 * who ask while one waits for its time share it.
 */
import type { Clock } from './clock.ts';
import { pause } from './pause.ts';

export interface SpacedOptions {
  readonly clock: Clock;
  /** Least time between the beginnings of two runs. */
  readonly everyMs: number;
  readonly job: () => Promise<void>;
}

export class Spaced {
  readonly #options: SpacedOptions;
  /** The run that has not begun. */
  #next: Promise<void> | undefined;
  /** On the monotonic clock. */
  #begunAt = -Infinity;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SpacedOptions) {
    this.#options = options;
  }

  /** Resolves or rejects as the run does. */
  run(): Promise<void> {
    return (this.#next ??= this.#running.then(() => this.#begin()));
  }

  async #begin(): Promise<void> {
    const { clock, everyMs, job } = this.#options;
    const early = this.#begunAt + everyMs - clock.monotonic();
    if (early > 0) await pause(clock, early);
    this.#next = undefined;
    this.#begunAt = clock.monotonic();
    const run = job();
    // Who runs next waits for the end, whatever it is.
    this.#running = run.catch(() => undefined);
    await run;
  }
}
