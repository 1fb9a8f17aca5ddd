/**
 * Memory that follows a store: reads what may have changed there, one read after another, so that an older answer never
 * replaces a newer one. A read that fails is made again until it succeeds.
 */
import type { Clock, Timer } from './clock.ts';
import { Lane } from './lane.ts';

export interface CatchUpOptions<Key> {
  readonly clock: Clock;
  /** Brings memory to what the store says of these keys, or of all that there are. */
  readonly read: (keys: readonly Key[] | 'all') => Promise<void>;
  /** Told why a read failed that nobody waits for. */
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 1000;

export class CatchUp<Key> {
  readonly #options: CatchUpOptions<Key>;
  readonly #lane = new Lane();
  /** Reads that failed and have not been made good yet. */
  readonly #failed = new Map<readonly Key[] | 'all', Timer>();

  constructor(options: CatchUpOptions<Key>) {
    this.#options = options;
  }

  /** False while something that may have changed could not be read. */
  get current(): boolean {
    return this.#failed.size === 0;
  }

  /** Resolves when memory is as the store is, or was after this call. Rejects when the read fails; it is made again then. */
  async read(keys: readonly Key[] | 'all'): Promise<void> {
    try {
      await this.#lane.run(() => this.#options.read(keys));
    } catch (error) {
      this.#failed.set(
        keys,
        this.#options.clock.after(RETRY_MS, () => this.doubt(keys)),
      );
      throw error;
    }
    this.#failed.delete(keys);
  }

  /** These may have changed: they are read in the background. */
  doubt(keys: readonly Key[] | 'all'): void {
    this.read(keys).catch(this.#options.onError);
  }

  /** Makes no failed read again. */
  close(): void {
    for (const timer of this.#failed.values()) timer.cancel();
  }
}
