/**
 * Counts failed logins by source address, so that passwords cannot be tried out. A window begins with a first failure;
 * once it holds the allowed number, every login from that address is refused until the window is over.
 */
import { DomainError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';

export class LoginBlockedError extends DomainError {
  /** Whole seconds, at least 1, after which a login is looked at again. */
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('LoginBlocked');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface LoginLimiterOptions {
  readonly clock: Clock;
  /** Failures that an address has within one window. */
  readonly failures: number;
  readonly windowSeconds: number;
  /** Addresses remembered; beyond it the one whose window began first is forgotten. */
  readonly sources?: number;
}

interface Window {
  failures: number;
  /** On the monotonic clock: setting the wall clock lets nobody in. */
  readonly end: number;
}

export class LoginLimiter {
  readonly #clock: Clock;
  readonly #failures: number;
  readonly #windowMs: number;
  readonly #sources: number;
  /** In the order in which the windows began. */
  readonly #windows = new Map<string, Window>();

  constructor({ clock, failures, windowSeconds, sources = 10_000 }: LoginLimiterOptions) {
    this.#clock = clock;
    this.#failures = failures;
    this.#windowMs = windowSeconds * 1000;
    this.#sources = sources;
  }

  /** Throws LoginBlockedError when the address has used up its failures. */
  check(source: string): void {
    const window = this.#current(source);
    if (window === undefined || window.failures < this.#failures) return;
    throw new LoginBlockedError(Math.max(1, Math.ceil((window.end - this.#clock.monotonic()) / 1000)));
  }

  /**
   * Checks, and counts the try as a failure until `succeeded` says otherwise: a count made only after the password was
   * looked at would let through whatever is tried meanwhile.
   */
  attempt(source: string): void {
    this.check(source);
    const window = this.#current(source);
    if (window !== undefined) {
      window.failures++;
      return;
    }
    this.#windows.set(source, { failures: 1, end: this.#clock.monotonic() + this.#windowMs });
    if (this.#windows.size <= this.#sources) return;
    const oldest = this.#windows.keys().next().value;
    if (oldest !== undefined) this.#windows.delete(oldest);
  }

  /** Clears the count. */
  succeeded(source: string): void {
    this.#windows.delete(source);
  }

  #current(source: string): Window | undefined {
    const window = this.#windows.get(source);
    if (window === undefined || window.end > this.#clock.monotonic()) return window;
    this.#windows.delete(source);
    return undefined;
  }
}
