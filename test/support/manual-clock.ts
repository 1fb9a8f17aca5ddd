/**
 * A clock that stands still until a test moves it. Timers that become due fire in the order of their times (equal ones
 * in the order in which they were set), each while the clock shows exactly its time.
 */
import type { Clock, Timer } from '../../src/platform/clock.ts';

interface Pending {
  readonly due: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #wall: number;
  #monotonic = 0;
  /** In the order in which they were set. */
  readonly #timers = new Set<Pending>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#wall = now;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, run: () => void): Timer {
    const timer = { due: this.#monotonic + Math.max(0, ms), run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Number of timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on by `ms` and fires what becomes due, timers set meanwhile included. */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#timers.delete(next);
      this.#move(next.due - this.#monotonic);
      next.run();
    }
    this.#move(end - this.#monotonic);
  }

  /** Sets the wall clock alone, as an operator or NTP does; timers and durations do not notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  #move(ms: number): void {
    this.#monotonic += ms;
    this.#wall += ms;
  }

  #due(end: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }
}
