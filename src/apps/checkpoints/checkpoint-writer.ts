/**
 * Brings checkpoints into the catalog: while one transaction is on its way to the disk the next one gathers, so that a
 * thousand commits a second cost as many syncs as the disk does one after another, and no more. Commits and deletes take
 * effect in the order in which they came; of several commits for a partition in one transaction the last one stays.
 */
import type { Catalog } from '../../catalog/catalog.ts';
import { deleteCheckpoints, upsertCheckpoints } from '../../catalog/checkpoints.ts';
import { DomainError } from '../../model/errors.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import type { PartitionRef, Stream } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import { Lane } from '../../platform/lane.ts';
import type { StreamRegistry } from '../../streams/stream-registry.ts';
import type { AppRegistry } from '../app-registry.ts';

export interface Checkpoint {
  readonly app: ConsumerApp;
  readonly stream: Stream;
  readonly ref: PartitionRef;
  readonly sequence: number;
  readonly metadata: string;
}

export interface CheckpointWriterOptions {
  readonly db: Catalog['db'];
  readonly apps: AppRegistry;
  readonly registry: StreamRegistry;
  readonly clock: Clock;
}

interface Batch {
  /** By app, stream and partition. */
  readonly checkpoints: Map<string, Checkpoint>;
  /** Once it is durable: the keys of those that were left out, since their app or stream is gone. */
  readonly stored: Promise<ReadonlySet<string>>;
}

export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  readonly #lane = new Lane();
  /** The one that gathers. */
  #batch: Batch | undefined;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /** Resolves once the checkpoint is durable. Throws AppNotFound or StreamNotFound for what was deleted meanwhile. */
  async commit(checkpoint: Checkpoint): Promise<void> {
    const { app, stream } = checkpoint;
    const batch = (this.#batch ??= this.#openBatch());
    const key = keyOf(checkpoint);
    batch.checkpoints.set(key, checkpoint);
    const leftOut = await batch.stored;
    if (!leftOut.has(key)) return;
    if (!this.#options.apps.has(app.id)) throw new DomainError('AppNotFound', [app.name]);
    throw new DomainError('StreamNotFound', [stream.name, stream.projectId]);
  }

  /** Removes the checkpoints of an app on a stream: those of one partition, or all of them. */
  delete(app: ConsumerApp, stream: Stream, partition?: number): Promise<void> {
    // What is committed after this belongs behind it.
    this.#batch = undefined;
    return this.#lane.run(() => deleteCheckpoints(this.#options.db, app.id, stream.number, partition));
  }

  #openBatch(): Batch {
    const checkpoints = new Map<string, Checkpoint>();
    const stored = this.#lane.run(() => {
      if (this.#batch?.checkpoints === checkpoints) this.#batch = undefined;
      return this.#store([...checkpoints.values()]);
    });
    return { checkpoints, stored };
  }

  async #store(checkpoints: readonly Checkpoint[]): Promise<ReadonlySet<string>> {
    const { db, apps, registry, clock } = this.#options;
    const now = clock.now();
    return db.transaction().execute(async (transaction) => {
      // Whoever deletes an app or a stream takes it out of its registry first, and waits for this transaction then: what
      // is there now has yet to be deleted, and its rows with it; what is not would leave rows that nobody deletes.
      const isThere = ({ app, ref }: Checkpoint) => apps.has(app.id) && registry.byNumber(ref.stream) !== undefined;
      const { kept = [], leftOut = [] } = Object.groupBy(checkpoints, (one) => (isThere(one) ? 'kept' : 'leftOut'));
      await upsertCheckpoints(
        transaction,
        kept.map(({ app, ref, sequence, metadata }) => ({
          app_id: app.id,
          stream: ref.stream,
          partition: ref.partition,
          sequence,
          metadata,
          updated_at: now,
        })),
      );
      return new Set(leftOut.map(keyOf));
    });
  }
}

function keyOf({ app, ref }: Checkpoint): string {
  return `${app.id} ${ref.stream} ${ref.partition}`;
}
