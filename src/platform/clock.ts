/**
 * Time and timers enter Sluice through this interface alone, so that a test can move them.
 * `systemClock` is the real one; test/support/manual-clock.ts stands still until it is moved.
 */

export interface Timer {
  /** Stops the timer; a timer that has fired or is stopped already is left alone. */
  cancel(): void;
}

export interface Clock {
  /** Wall-clock time in whole milliseconds since 1970-01-01T00:00Z. It may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back: for durations. */
  monotonic(): number;
  /** Calls `run` once, after at least `ms` milliseconds. A timer never keeps the process alive. */
  after(ms: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const handle = setTimeout(run, ms);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
