/**
 * Whether what a server depends on is there. Each dependency is asked with a time limit, and an answer is good for a
 * second: however many ask, what is asked about is asked once.
 */
import type { Clock } from './clock.ts';

/** Resolves or returns when the dependency is there, and throws or rejects when it is not. */
export type ReadinessCheck = () => Promise<unknown> | void;

export type DependencyState = 'ok' | 'failed' | 'timed out';

export interface ReadinessReport {
  readonly ready: boolean;
  /** By name of the dependency. */
  readonly checks: Readonly<Record<string, DependencyState>>;
}

export interface ReadinessOptions {
  readonly clock: Clock;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  /** Told why a dependency is not there. */
  readonly onFailed: (name: string, error: unknown) => void;
}

export const READINESS_LIMIT_MS = 2000;
export const READINESS_LIFE_MS = 1000;

export class Readiness {
  readonly #options: ReadinessOptions;
  #report: Promise<ReadinessReport> | undefined;
  /** On the monotonic clock; Infinity while the report is being made. */
  #goodUntil = -Infinity;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  report(): Promise<ReadinessReport> {
    if (this.#report === undefined || this.#options.clock.monotonic() >= this.#goodUntil) {
      this.#goodUntil = Infinity;
      this.#report = this.#make();
    }
    return this.#report;
  }

  async #make(): Promise<ReadinessReport> {
    const { clock, checks } = this.#options;
    const states = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await this.#stateOf(name, check)] as const),
    );
    this.#goodUntil = clock.monotonic() + READINESS_LIFE_MS;
    return { ready: states.every(([, state]) => state === 'ok'), checks: Object.fromEntries(states) };
  }

  async #stateOf(name: string, check: ReadinessCheck): Promise<DependencyState> {
    const { clock, onFailed } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<DependencyState>();
    const timer = clock.after(READINESS_LIMIT_MS, () => resolve('timed out'));
    const asked = async (): Promise<DependencyState> => {
      try {
        await check();
        return 'ok';
      } catch (error) {
        onFailed(name, error);
        return 'failed';
      }
    };
    try {
      return await Promise.race([asked(), late]);
    } finally {
      timer.cancel();
    }
  }
}
