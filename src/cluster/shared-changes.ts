/**
 * Changes of what every node has in memory: written to the catalog, announced in the very transaction, read back here, and
 * done when every other node has read it, too.
 */
import type { Kysely } from 'kysely';
import type { Database } from '../catalog/schema.ts';
import { DomainError } from '../model/errors.ts';
import type { CatchUp } from '../platform/catch-up.ts';
import type { Announced, Change, Cluster } from './cluster.ts';

export interface SharedChangesOptions<Key> {
  readonly kind: Change['kind'];
  readonly cluster: Pick<Cluster, 'announceIn' | 'settled'>;
  readonly memory: CatchUp<Key>;
}

/** What a transaction has changed; undefined: nothing. */
export interface Written<Key> {
  readonly key: Key;
  readonly announced: Announced;
}

export class SharedChanges<Key extends string | number> {
  readonly #options: SharedChangesOptions<Key>;

  constructor(options: SharedChangesOptions<Key>) {
    this.#options = options;
  }

  /** To be called in the transaction that changes what `key` means. */
  async announce(transaction: Kysely<Database>, key: Key): Promise<Written<Key>> {
    const { kind, cluster } = this.#options;
    return { key, announced: await cluster.announceIn(transaction, { kind, key: String(key) }) };
  }

  /**
   * Runs `write`, a transaction that may change one of `keys`, and resolves when every node has what it changed. `cleanUp`
   * is run in between, once this node has it, and whatever else fails. Rejects as they do.
   */
  async make(
    keys: readonly Key[] | 'all',
    write: () => Promise<Written<Key> | undefined>,
    cleanUp?: () => Promise<void>,
  ): Promise<void> {
    const { cluster, memory } = this.#options;
    let written;
    try {
      written = await write();
    } catch (error) {
      // It may be stored for all that: the answer to a commit can be lost.
      if (!(error instanceof DomainError)) memory.doubt(keys);
      throw error;
    }
    if (written === undefined) return;
    try {
      await memory.read([written.key]);
    } finally {
      try {
        await cleanUp?.();
      } finally {
        await cluster.settled(written.announced);
      }
    }
  }
}
