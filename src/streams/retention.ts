/** Gives up expired records of every stream, again and again, so that their space comes back. */
import type { Clock, Timer } from '../platform/clock.ts';
import { isDomainError } from '../model/errors.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { StreamRegistry } from './stream-registry.ts';
import { retentionStart } from './valid-bounds.ts';

export interface RetentionOptions {
  readonly registry: StreamRegistry;
  readonly recordLog: RecordLog;
  readonly clock: Clock;
  readonly checkSeconds: number;
  readonly onError: (error: unknown) => void;
}

export class Retention {
  readonly #options: RetentionOptions;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Looks once now and then every `checkSeconds`. */
  start(): void {
    this.#running = this.tick().catch(this.#options.onError);
    this.#timer = this.#options.clock.after(this.#options.checkSeconds * 1000, () => this.start());
  }

  /** Trims every partition to its stream's retention. */
  async tick(): Promise<void> {
    const { registry, recordLog, clock } = this.#options;
    for (const stream of registry.all()) {
      const oldest = retentionStart(stream, clock);
      for (const { ref } of stream.partitions) {
        try {
          recordLog.trim(ref, await recordLog.seek(ref, oldest));
        } catch (error) {
          // The stream may have been deleted between two awaits.
          if (!isDomainError(error, 'StreamNotFound')) throw error;
        }
      }
    }
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
  }
}
