/**
 * The one way in which streams are made, changed and deleted: retention, tags, policies, partitions. Streams are immutable
 * values; a change starts from what the catalog has, writes it in one transaction, and is done when every node has the
 * stream as it is then. Changes of one stream run one after another, whichever nodes make them.
 */
import type { Kysely } from 'kysely';
import { lockingTransaction } from '../catalog/row-locks.ts';
import type { Database } from '../catalog/schema.ts';
import { deleteStreamRows, selectStream } from '../catalog/streams.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { SharedChanges } from '../cluster/shared-changes.ts';
import { DomainError } from '../model/errors.ts';
import type { Stream } from '../model/stream.ts';
import type { CatchUp } from '../platform/catch-up.ts';
import type { StreamRegistry } from './stream-registry.ts';

export interface StreamChangesOptions {
  readonly db: Kysely<Database>;
  readonly registry: StreamRegistry;
  readonly cluster: Pick<Cluster, 'exclusive' | 'announceIn' | 'settled'>;
  /** What keeps the registry, see StreamFollower. */
  readonly memory: CatchUp<number>;
}

export class StreamChanges {
  readonly #options: StreamChangesOptions;
  readonly #changes: SharedChanges<number>;

  constructor(options: StreamChangesOptions) {
    this.#options = options;
    this.#changes = new SharedChanges({ kind: 'stream', ...options });
  }

  /** Runs `insert` in a transaction. Resolves to the stream that it stored, once every node has it. */
  async make(insert: (transaction: Kysely<Database>) => Promise<Stream>): Promise<Stream> {
    const { db } = this.#options;
    let made!: Stream;
    await this.#changes.make('all', () =>
      db.transaction().execute(async (transaction) => {
        made = await insert(transaction);
        return this.#changes.announce(transaction, made.number);
      }),
    );
    return this.#newest(made);
  }

  /**
   * Runs `change` with the stream as it is now, in a transaction; what it returns, and has stored there, is the result;
   * returning the very stream says that nothing changed. It may run more than once. Throws StreamNotFound when the stream
   * has been deleted meanwhile, and whatever `change` throws: then nothing changes.
   */
  async run(
    stream: Stream,
    change: (current: Stream, transaction: Kysely<Database>) => Promise<Stream>,
  ): Promise<Stream> {
    const { db, cluster } = this.#options;
    const { number } = stream;
    let next!: Stream;
    const write = async (transaction: Kysely<Database>) => {
      const current = await selectStream(transaction, number);
      if (current === undefined) throw notFound(stream);
      next = await change(current, transaction);
      return next === current ? undefined : this.#changes.announce(transaction, number);
    };
    await this.#changes.make([number], () => cluster.exclusive(laneOf(stream), () => db.transaction().execute(write)));
    return this.#newest(next);
  }

  /**
   * Deletes the stream in the catalog at `now` (ms), then runs `cleanUp`, on this node alone. Resolves when no node knows
   * the stream any more. Throws StreamNotFound, and what `cleanUp` throws.
   */
  async delete(stream: Stream, now: number, cleanUp: () => Promise<void>): Promise<void> {
    const { db, cluster } = this.#options;
    const { number } = stream;
    const write = async (transaction: Kysely<Database>) => {
      if (!(await deleteStreamRows(transaction, number, now))) throw notFound(stream);
      return this.#changes.announce(transaction, number);
    };
    await this.#changes.make(
      [number],
      () => cluster.exclusive(laneOf(stream), () => lockingTransaction(db).execute(write)),
      cleanUp,
    );
  }

  /** The very value that everybody finds, where it is still there. */
  #newest(stream: Stream): Stream {
    return this.#options.registry.byNumber(stream.number) ?? stream;
  }
}

function laneOf({ number }: Stream): string {
  return `stream/${number}`;
}

function notFound({ name, projectId }: Stream): DomainError {
  return new DomainError('StreamNotFound', [name, projectId]);
}
