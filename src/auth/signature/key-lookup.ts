/**
 * Access keys as signatures need them: with their secret, and with the user behind them as of now. A key is remembered for
 * five seconds, so that the path of a put asks no catalog, and one that another process has removed is good for that long.
 * Keys that do not exist are not remembered; however many are asked for, the catalog answers one statement at a time.
 */
import type { Kysely } from 'kysely';
import { selectSigners, type Signer } from '../../catalog/access-keys.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Clock } from '../../platform/clock.ts';
import { Remembered } from './remembered.ts';

/** Longer ones are nobody's, and not looked for. */
const MAX_CHARACTERS = 256;
/** Keys that one statement looks for. */
const AT_ONCE = 500;

type Found = ReadonlyMap<string, Signer>;

export class KeyLookup {
  readonly #db: Kysely<Database>;
  readonly #remembered: Remembered<Signer>;
  /** What the next lookup is going to look for, and its answer. */
  #wanted = new Set<string>();
  #next: Promise<Found> | undefined;
  /** Resolves when the lookup before it is over, however it went. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(db: Kysely<Database>, clock: Clock) {
    this.#db = db;
    this.#remembered = new Remembered(clock);
  }

  /** A key looked up within the last five seconds; undefined means: ask `find`. */
  cached(accessKey: string): Signer | undefined {
    return this.#remembered.get(accessKey);
  }

  /** Undefined for a key that does not exist or has lost its user. */
  async find(accessKey: string): Promise<Signer | undefined> {
    if (accessKey.length > MAX_CHARACTERS) return undefined;
    this.#wanted.add(accessKey);
    this.#next ??= this.#afterTheLast();
    return (await this.#next).get(accessKey);
  }

  #afterTheLast(): Promise<Found> {
    const next = this.#turn.then(() => {
      const wanted = [...this.#wanted];
      this.#wanted = new Set();
      this.#next = undefined;
      return this.#look(wanted);
    });
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async #look(wanted: readonly string[]): Promise<Found> {
    const found = new Map<string, Signer>();
    for (let start = 0; start < wanted.length; start += AT_ONCE) {
      for (const signer of await selectSigners(this.#db, wanted.slice(start, start + AT_ONCE))) {
        found.set(signer.accessKey, signer);
        this.#remembered.set(signer.accessKey, signer);
      }
    }
    return found;
  }
}
