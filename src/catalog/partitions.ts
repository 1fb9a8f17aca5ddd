/** The statements about partitions. What becomes of which partition is `streams/repartition.ts`. */
import type { Insertable, Kysely, Selectable } from 'kysely';
import { formatPartitionId } from '../model/partition-id.ts';
import type { Partition, PartitionRef, PartitionStatus, StreamType } from '../model/stream.ts';
import type { Database, PartitionsTable } from './schema.ts';

/** Databases bound the parameters of one statement: 32,766 in SQLite, and a row takes seven. */
const ROWS_PER_INSERT = 1000;

/** The partitions of some streams, by number, or of all of them, in order of stream and number. */
export async function selectPartitions(db: Kysely<Database>, streams?: readonly number[]): Promise<Partition[]> {
  let rows = db.selectFrom('partitions').selectAll();
  if (streams !== undefined) rows = rows.where('stream', 'in', streams);
  return (await rows.orderBy('stream').orderBy('partition').execute()).map(toPartition);
}

/** Stores partitions as they are now: new ones, and those that are there already. Wants a transaction around it. */
export async function writePartitions(db: Kysely<Database>, partitions: readonly Partition[]): Promise<void> {
  const rows = partitions.map(toRow);
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT) {
    await db
      .insertInto('partitions')
      .values(rows.slice(at, at + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict.columns(['stream', 'partition']).doUpdateSet((update) => ({
          status: update.ref('excluded.status'),
          hash_low: update.ref('excluded.hash_low'),
          hash_high: update.ref('excluded.hash_high'),
          parents: update.ref('excluded.parents'),
          closed_at: update.ref('excluded.closed_at'),
        })),
      )
      .execute();
  }
}

/** Partitions that are written to, over all streams of one type of a project: what its quota counts. */
export async function countPartitions(db: Kysely<Database>, projectId: string, type: StreamType): Promise<number> {
  const { count } = await db
    .selectFrom('partitions')
    .innerJoin('streams', 'streams.number', 'partitions.stream')
    .where('streams.project_id', '=', projectId)
    .where('streams.stream_type', '=', type)
    .where('partitions.status', 'in', ['CREATING', 'ACTIVE'])
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Turns DELETED partitions into EXPIRED ones; others stay what they are. */
export async function expirePartitions(db: Kysely<Database>, refs: readonly PartitionRef[]): Promise<void> {
  for (const { stream, partition } of refs) {
    await db
      .updateTable('partitions')
      .set({ status: 'EXPIRED' })
      .where('stream', '=', stream)
      .where('partition', '=', partition)
      .where('status', '=', 'DELETED')
      .execute();
  }
}

function toRow({ ref, status, hashLow, hashHigh, parents, closedAt }: Partition): Insertable<PartitionsTable> {
  return {
    stream: ref.stream,
    partition: ref.partition,
    status,
    hash_low: String(hashLow),
    hash_high: String(hashHigh),
    parents: parents.join(','),
    closed_at: closedAt ?? null,
  };
}

function toPartition(row: Selectable<PartitionsTable>): Partition {
  return {
    ref: { stream: row.stream, partition: row.partition },
    id: formatPartitionId(row.partition),
    status: row.status as PartitionStatus,
    hashLow: BigInt(row.hash_low),
    hashHigh: BigInt(row.hash_high),
    parents: row.parents === '' ? [] : row.parents.split(','),
    closedAt: row.closed_at ?? undefined,
  };
}
