/** The statements about checkpoints: how far an app has come in a partition. They decide nothing. */
import type { Insertable, Kysely } from 'kysely';
import type { PartitionRef } from '../model/stream.ts';
import type { CheckpointsTable, Database } from './schema.ts';

/** Databases bound the parameters of one statement: 32,766 in SQLite, and a row takes six. */
const ROWS_PER_INSERT = 1000;

export interface StoredCheckpoint {
  readonly partition: number;
  readonly sequence: number;
  readonly metadata: string;
}

/** Stores checkpoints, each in the place of the one that is there. At most one for a partition and app. */
export async function upsertCheckpoints(db: Kysely<Database>, rows: Insertable<CheckpointsTable>[]): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT) {
    await db
      .insertInto('checkpoints')
      .values(rows.slice(at, at + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict.columns(['app_id', 'stream', 'partition']).doUpdateSet((update) => ({
          sequence: update.ref('excluded.sequence'),
          metadata: update.ref('excluded.metadata'),
          updated_at: update.ref('excluded.updated_at'),
        })),
      )
      .execute();
  }
}

export async function selectCheckpoint(
  db: Kysely<Database>,
  appId: string,
  { stream, partition }: PartitionRef,
): Promise<StoredCheckpoint | undefined> {
  return db
    .selectFrom('checkpoints')
    .select(['partition', 'sequence', 'metadata'])
    .where('app_id', '=', appId)
    .where('stream', '=', stream)
    .where('partition', '=', partition)
    .executeTakeFirst();
}

/** The checkpoints of an app on one stream. */
export async function selectCheckpoints(
  db: Kysely<Database>,
  appId: string,
  stream: number,
): Promise<StoredCheckpoint[]> {
  return db
    .selectFrom('checkpoints')
    .select(['partition', 'sequence', 'metadata'])
    .where('app_id', '=', appId)
    .where('stream', '=', stream)
    .orderBy('partition')
    .execute();
}

/** On which streams, by number, each of some apps has checkpoints. */
export async function selectCommittedStreams(
  db: Kysely<Database>,
  appIds: readonly string[],
): Promise<{ readonly app_id: string; readonly stream: number }[]> {
  if (appIds.length === 0) return [];
  return db
    .selectFrom('checkpoints')
    .select(['app_id', 'stream'])
    .distinct()
    .where('app_id', 'in', appIds)
    .orderBy('stream')
    .execute();
}

/** Ids of the apps that have a checkpoint on a stream. */
export async function selectAppsOfStream(db: Kysely<Database>, stream: number): Promise<string[]> {
  const rows = await db.selectFrom('checkpoints').select('app_id').distinct().where('stream', '=', stream).execute();
  return rows.map(({ app_id }) => app_id);
}

/** Removes the checkpoints of an app on a stream: those of one partition, or all of them. */
export async function deleteCheckpoints(
  db: Kysely<Database>,
  appId: string,
  stream: number,
  partition?: number,
): Promise<void> {
  let rows = db.deleteFrom('checkpoints').where('app_id', '=', appId).where('stream', '=', stream);
  if (partition !== undefined) rows = rows.where('partition', '=', partition);
  await rows.execute();
}
