/** What the catalog said within the last five seconds, by a name: 4,096 answers at most, the oldest go first. */
import type { Clock } from '../../platform/clock.ts';

const REMEMBERED_MS = 5000;
const REMEMBERED_VALUES = 4096;

export class Remembered<T> {
  readonly #clock: Clock;
  /** The one set longest ago comes first; `until` on the monotonic clock. */
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(name: string): T | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    if (entry.until > this.#clock.monotonic()) return entry.value;
    this.#entries.delete(name);
    return undefined;
  }

  set(name: string, value: T): void {
    this.#entries.delete(name);
    this.#entries.set(name, { value, until: this.#clock.monotonic() + REMEMBERED_MS });
    if (this.#entries.size <= REMEMBERED_VALUES) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
