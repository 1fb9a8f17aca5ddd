/**
 * The one way in which streams are made, changed and deleted: retention, tags, policies, partitions. Streams are immutable
 * values; a change starts from what the catalog has, writes it in one transaction, and is done when every node has the
 * stream as it is then. Changes of one stream run one after another, whichever nodes make them.
 */
import type { Kysely } from 'kysely';
import { lockingTransaction } from '../catalog/row-locks.ts';
import type { Database } from '../catalog/schema.ts';
import { deleteStreamRows, selectStream } from '../catalog/streams.ts';
import type { Announced, Cluster } from '../cluster/cluster.ts';
import { DomainError } from '../model/errors.ts';
import type { Stream } from '../model/stream.ts';
import type { StreamRegistry } from './stream-registry.ts';
import type { StreamFollower, StreamsToRead } from './stream-follower.ts';

export interface StreamChangesOptions {
  readonly db: Kysely<Database>;
  readonly registry: StreamRegistry;
  readonly cluster: Pick<Cluster, 'exclusive' | 'announceIn' | 'settled'>;
  readonly follower: StreamFollower;
}

interface Written {
  readonly stream: Stream;
  /** Undefined: nothing was changed. */
  readonly announced: Announced | undefined;
}

export class StreamChanges {
  readonly #options: StreamChangesOptions;

  constructor(options: StreamChangesOptions) {
    this.#options = options;
  }

  /** Runs `insert` in a transaction. Resolves to the stream that it stored, once every node has it. */
  async make(insert: (transaction: Kysely<Database>) => Promise<Stream>): Promise<Stream> {
    const { db } = this.#options;
    const written = await this.#write('all', () =>
      db.transaction().execute(async (transaction) => this.#announce(transaction, await insert(transaction))),
    );
    return this.#follow(written);
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
    const written = await this.#write([number], () =>
      cluster.exclusive(laneOf(stream), () =>
        db.transaction().execute(async (transaction): Promise<Written> => {
          const current = await selectStream(transaction, number);
          if (current === undefined) throw notFound(stream);
          const next = await change(current, transaction);
          return next === current ? { stream: next, announced: undefined } : this.#announce(transaction, next);
        }),
      ),
    );
    return this.#follow(written);
  }

  /**
   * Deletes the stream in the catalog at `now` (ms), then runs `cleanUp`, on this node alone. Resolves when no node knows
   * the stream any more. Throws StreamNotFound, and what `cleanUp` throws.
   */
  async delete(stream: Stream, now: number, cleanUp: () => Promise<void>): Promise<void> {
    const { db, cluster } = this.#options;
    const { number } = stream;
    const written = await this.#write([number], () =>
      cluster.exclusive(laneOf(stream), () =>
        lockingTransaction(db).execute(async (transaction): Promise<Written> => {
          if (!(await deleteStreamRows(transaction, number, now))) throw notFound(stream);
          return this.#announce(transaction, stream);
        }),
      ),
    );
    await this.#follow(written, cleanUp);
  }

  async #write(streams: StreamsToRead, write: () => Promise<Written>): Promise<Written> {
    try {
      return await write();
    } catch (error) {
      // It may be stored for all that: the answer to a commit can be lost.
      if (!(error instanceof DomainError)) this.#options.follower.doubt(streams);
      throw error;
    }
  }

  async #announce(transaction: Kysely<Database>, stream: Stream): Promise<Written> {
    const change = { kind: 'stream', key: String(stream.number) } as const;
    return { stream, announced: await this.#options.cluster.announceIn(transaction, change) };
  }

  /** Whatever fails on the way, the rest is done. */
  async #follow({ stream, announced }: Written, cleanUp?: () => Promise<void>): Promise<Stream> {
    const { cluster, follower, registry } = this.#options;
    if (announced === undefined) return stream;
    try {
      await follower.read([stream.number]);
    } finally {
      try {
        await cleanUp?.();
      } finally {
        await cluster.settled(announced);
      }
    }
    return registry.byNumber(stream.number) ?? stream;
  }
}

function laneOf({ number }: Stream): string {
  return `stream/${number}`;
}

function notFound({ name, projectId }: Stream): DomainError {
  return new DomainError('StreamNotFound', [name, projectId]);
}
