/** Kysely whose transactions are serializable, where they ask for nothing else, and are run again where that is safe; see open.ts. */
import { Kysely, type KyselyConfig, type TransactionBuilder } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import { pause } from '../../platform/pause.ts';
import type { Random } from '../../platform/random.ts';
import { isConflict, isDisconnect } from './failures.ts';

export interface RetryingOptions extends KyselyConfig {
  readonly clock: Clock;
  readonly random: Random;
}

/** Tries of a transaction that others got in the way of, each after a pause that doubles. */
const CONFLICT_TRIES = 12;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 500;
/** Tries when the connection is lost: a fail-over takes seconds, and whoever waits gives up before long. */
const DISCONNECT_TRIES = 3;

export class RetryingKysely<DB> extends Kysely<DB> {
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ clock, random, ...config }: RetryingOptions) {
    super(config);
    this.#clock = clock;
    this.#random = random;
  }

  override transaction(): TransactionBuilder<DB> {
    return this.#retried(super.transaction().setIsolationLevel('serializable'));
  }

  /** The builder, and those that come of it. */
  #retried(builder: TransactionBuilder<DB>): TransactionBuilder<DB> {
    const once = builder.execute.bind(builder);
    const withLevel = builder.setIsolationLevel.bind(builder);
    builder.execute = (callback) => this.#untilDone(once, callback);
    builder.setIsolationLevel = (level) => this.#retried(withLevel(level));
    return builder;
  }

  async #untilDone<T>(
    once: TransactionBuilder<DB>['execute'],
    callback: Parameters<TransactionBuilder<DB>['execute']>[0],
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      let committing = false;
      try {
        return (await once(async (transaction) => {
          const result: unknown = await callback(transaction);
          committing = true;
          return result;
        })) as T;
      } catch (error) {
        // A conflict undoes the transaction even at its commit; of a lost connection that cannot be told.
        const conflict = isConflict(error) && attempt < CONFLICT_TRIES;
        if (!conflict && (committing || !isDisconnect(error) || attempt >= DISCONNECT_TRIES)) throw error;
        const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
        await pause(this.#clock, longest * (0.5 + this.#random.fraction() / 2));
      }
    }
  }
}
