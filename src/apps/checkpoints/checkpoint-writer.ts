/**
 * Brings checkpoints into the catalog: while one transaction is on its way to the disk the next one gathers, so that a
 * thousand commits a second cost as many syncs as the disk does one after another, and no more. Commits and deletes take
 * effect in the order in which they came; of several commits for a partition in one transaction the last one stays.
 *
 * The transaction decides what is stored: it holds the apps and streams, so that nothing stays behind of those that another
 * node deletes meanwhile, and the groups of members, so that nobody commits what has become another member's.
 */
import type { Kysely } from 'kysely';
import { holdApps } from '../../catalog/apps.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { deleteCheckpoints, upsertCheckpoints } from '../../catalog/checkpoints.ts';
import { lockingTransaction } from '../../catalog/row-locks.ts';
import type { Database } from '../../catalog/schema.ts';
import { holdStreams } from '../../catalog/streams.ts';
import { DomainError } from '../../model/errors.ts';
import type { ConsumerApp } from '../../model/consumer-app.ts';
import type { PartitionRef, Stream } from '../../model/stream.ts';
import type { Clock } from '../../platform/clock.ts';
import { Lane } from '../../platform/lane.ts';
import type { Claim, GroupCoordinator } from '../groups/group-coordinator.ts';

export interface Checkpoint {
  readonly app: ConsumerApp;
  readonly stream: Stream;
  readonly ref: PartitionRef;
  readonly sequence: number;
  readonly metadata: string;
  /** Whose commit it is; undefined: nobody's in particular, which is always taken. */
  readonly member: Pick<Claim, 'clientId' | 'generation'> | undefined;
}

export interface CheckpointWriterOptions {
  readonly db: Catalog['db'];
  readonly groups: Pick<GroupCoordinator, 'refusals'>;
  readonly clock: Clock;
}

type Refusals = ReadonlyMap<Checkpoint, DomainError>;

interface Batch {
  /** In the order in which they came. */
  readonly checkpoints: Checkpoint[];
  /** Once it is durable: those that were left out. */
  readonly stored: Promise<Refusals>;
}

export class CheckpointWriter {
  readonly #options: CheckpointWriterOptions;
  readonly #lane = new Lane();
  /** The one that gathers. */
  #batch: Batch | undefined;

  constructor(options: CheckpointWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the checkpoint is durable. Throws AppNotFound or StreamNotFound for what was deleted meanwhile, and for a
   * member MemberGone, GroupRebalancing and GenerationMismatch.
   */
  async commit(checkpoint: Checkpoint): Promise<void> {
    const batch = (this.#batch ??= this.#openBatch());
    batch.checkpoints.push(checkpoint);
    const refusal = (await batch.stored).get(checkpoint);
    if (refusal !== undefined) throw refusal;
  }

  /** Removes the checkpoints of an app on a stream: those of one partition, or all of them. */
  delete(app: ConsumerApp, stream: Stream, partition?: number): Promise<void> {
    // What is committed after this belongs behind it.
    this.#batch = undefined;
    return this.#lane.run(() => deleteCheckpoints(this.#options.db, app.id, stream.number, partition));
  }

  #openBatch(): Batch {
    const checkpoints: Checkpoint[] = [];
    const stored = this.#lane.run(() => {
      if (this.#batch?.checkpoints === checkpoints) this.#batch = undefined;
      return lockingTransaction(this.#options.db).execute((transaction) => this.#store(transaction, checkpoints));
    });
    return { checkpoints, stored };
  }

  async #store(transaction: Kysely<Database>, checkpoints: readonly Checkpoint[]): Promise<Refusals> {
    const now = this.#options.clock.now();
    const refusals = await this.#refusals(transaction, checkpoints);
    const kept = new Map<string, Checkpoint>();
    for (const one of checkpoints) if (!refusals.has(one)) kept.set(keyOf(one), one);
    // In order of their keys, as every transaction locks them.
    const rows = [...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, checkpoint]) => checkpoint);
    await upsertCheckpoints(
      transaction,
      rows.map(({ app, ref, sequence, metadata }) => ({
        app_id: app.id,
        stream: ref.stream,
        partition: ref.partition,
        sequence,
        metadata,
        updated_at: now,
      })),
    );
    return refusals;
  }

  async #refusals(transaction: Kysely<Database>, checkpoints: readonly Checkpoint[]): Promise<Refusals> {
    const apps = await holdApps(transaction, [...new Set(checkpoints.map(({ app }) => app.id))]);
    const streams = await holdStreams(transaction, [...new Set(checkpoints.map(({ ref }) => ref.stream))]);
    const refusals = new Map<Checkpoint, DomainError>();
    const ofMembers = new Map<string, Checkpoint[]>();
    for (const checkpoint of checkpoints) {
      const { app, stream, member } = checkpoint;
      if (!apps.has(app.id)) refusals.set(checkpoint, new DomainError('AppNotFound', [app.name]));
      else if (!streams.has(stream.number)) {
        refusals.set(checkpoint, new DomainError('StreamNotFound', [stream.name, stream.projectId]));
      } else if (member !== undefined) {
        const others = ofMembers.get(app.id);
        if (others === undefined) ofMembers.set(app.id, [checkpoint]);
        else others.push(checkpoint);
      }
    }
    for (const [, commits] of [...ofMembers].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const claims = commits.map(({ member, ref }): Claim => ({ ...member!, ref }));
      const found = await this.#options.groups.refusals(transaction, commits[0]!.app, claims);
      for (const [index, refusal] of found.entries()) {
        if (refusal !== undefined) refusals.set(commits[index]!, refusal);
      }
    }
    return refusals;
  }
}

function keyOf({ app, ref }: Checkpoint): string {
  return `${app.id} ${ref.stream} ${ref.partition}`;
}
