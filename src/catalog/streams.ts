/**
 * The statements about streams. They read and write rows and decide nothing: which streams may be made is
 * `streams/create-stream.ts`. Everything here that writes several rows wants a transaction around it.
 */
import type { Kysely, Selectable } from 'kysely';
import { formatPartitionId } from '../model/partition-id.ts';
import type { DataType, Partition, Stream, StreamType, Tag } from '../model/stream.ts';
import { selectPartitions, writePartitions } from './partitions.ts';
import { locksRows } from './row-locks.ts';
import { selectScalings } from './scaling-log.ts';
import type { Database, StreamsTable } from './schema.ts';
import { selectPolicies } from './stream-policies.ts';

/** A stream that has no number yet: the catalog gives it one. */
export interface NewStream extends Omit<Stream, 'number' | 'partitions' | 'policies' | 'scalings'> {
  readonly hashRanges: readonly HashRange[];
}

/** Inclusive ends of the key hashes of one partition. */
export interface HashRange {
  readonly low: bigint;
  readonly high: bigint;
}

/**
 * Some streams, by number, or every stream of every project, with all that belongs to it, in order of number. Numbers of
 * streams that are not there are passed over. Wants a transaction around it where streams may change meanwhile.
 */
export async function selectStreams(db: Kysely<Database>, numbers?: readonly number[]): Promise<Stream[]> {
  if (numbers?.length === 0) return [];
  let streams = db.selectFrom('streams').selectAll();
  if (numbers !== undefined) streams = streams.where('number', 'in', numbers);
  const rows = await streams.orderBy('number').execute();
  const policies = await selectPolicies(db, numbers);
  const scalings = await selectScalings(db, numbers);
  const partitions = Map.groupBy(await selectPartitions(db, numbers), ({ ref }) => ref.stream);
  return rows.map((row) =>
    toStream(row, {
      partitions: partitions.get(row.number) ?? [],
      policies: policies.get(row.number) ?? [],
      scalings: scalings.get(row.number) ?? [],
    }),
  );
}

/** Undefined when there is no such stream. Wants a transaction around it, as `selectStreams` does. */
export async function selectStream(db: Kysely<Database>, number: number): Promise<Stream | undefined> {
  const [stream] = await selectStreams(db, [number]);
  return stream;
}

/** Numbers of the streams that are gone but may still have records in the log. */
export async function selectDeletedStreamNumbers(db: Kysely<Database>): Promise<number[]> {
  const rows = await db.selectFrom('deleted_streams').select('number').execute();
  return rows.map((row) => row.number);
}

/** Stores a stream and its partitions, all ACTIVE. Undefined when the project has a stream of that name. */
export async function insertStream(db: Kysely<Database>, stream: NewStream): Promise<Stream | undefined> {
  const { hashRanges, ...fields } = stream;
  const inserted = await db
    .insertInto('streams')
    .values({
      stream_id: stream.id,
      project_id: stream.projectId,
      name: stream.name,
      stream_type: stream.type,
      data_type: stream.dataType,
      data_schema: stream.dataSchema ?? null,
      csv_delimiter: stream.csvDelimiter ?? null,
      compression_format: stream.compressionFormat ?? null,
      retention_hours: stream.retentionHours,
      auto_scale_enabled: stream.autoScale.enabled ? 1 : 0,
      auto_scale_min: stream.autoScale.min ?? null,
      auto_scale_max: stream.autoScale.max ?? null,
      tags: JSON.stringify(stream.tags),
      sys_tags: JSON.stringify(stream.sysTags),
      created_at: stream.createdAt,
      updated_at: stream.updatedAt,
    })
    .onConflict((conflict) => conflict.columns(['project_id', 'name']).doNothing())
    .returning('number')
    .executeTakeFirst();
  if (inserted === undefined) return undefined;

  const { number } = inserted;
  const partitions = hashRanges.map(({ low, high }, partition): Partition => {
    return {
      ref: { stream: number, partition },
      id: formatPartitionId(partition),
      status: 'ACTIVE',
      hashLow: low,
      hashHigh: high,
      parents: [],
      closedAt: undefined,
    };
  });
  await writePartitions(db, partitions);
  return { ...fields, number, partitions, policies: [], scalings: [] };
}

/** Stores what may change of a stream itself. False when there is no such stream any more. */
export async function updateStreamRow(db: Kysely<Database>, stream: Stream): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('streams')
    .set({
      data_type: stream.dataType,
      data_schema: stream.dataSchema ?? null,
      retention_hours: stream.retentionHours,
      auto_scale_enabled: stream.autoScale.enabled ? 1 : 0,
      auto_scale_min: stream.autoScale.min ?? null,
      auto_scale_max: stream.autoScale.max ?? null,
      updated_at: stream.updatedAt,
    })
    .where('number', '=', stream.number)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/**
 * Removes a stream with all that belongs to it, its dump tasks apart, and remembers its number in deleted_streams. False
 * when there is no such stream. Wants a locking transaction: the stream is locked before anything of it goes.
 */
export async function deleteStreamRows(db: Kysely<Database>, number: number, at: number): Promise<boolean> {
  const locked = await db
    .selectFrom('streams')
    .select('number')
    .where('number', '=', number)
    .$if(locksRows(db), (rows) => rows.forUpdate())
    .executeTakeFirst();
  if (locked === undefined) return false;
  await db.insertInto('deleted_streams').values({ number, deleted_at: at }).execute();
  await db.deleteFrom('partitions').where('stream', '=', number).execute();
  await db.deleteFrom('stream_policies').where('stream', '=', number).execute();
  await db.deleteFrom('scaling_log').where('stream', '=', number).execute();
  await db.deleteFrom('checkpoints').where('stream', '=', number).execute();
  await db.deleteFrom('metric_points').where('stream', '=', number).execute();
  await db.deleteFrom('streams').where('number', '=', number).execute();
  return true;
}

/**
 * Those of the streams that are there. In a locking transaction none of them goes before its end, nor any that belong to
 * it without being seen by whoever deletes it.
 */
export async function holdStreams(db: Kysely<Database>, numbers: readonly number[]): Promise<ReadonlySet<number>> {
  if (numbers.length === 0) return new Set();
  const rows = await db
    .selectFrom('streams')
    .select('number')
    .where('number', 'in', numbers)
    .orderBy('number')
    .$if(locksRows(db), (streams) => streams.forKeyShare())
    .execute();
  return new Set(rows.map(({ number }) => number));
}

function toStream(row: Selectable<StreamsTable>, parts: Pick<Stream, 'partitions' | 'policies' | 'scalings'>): Stream {
  return {
    number: row.number,
    id: row.stream_id,
    projectId: row.project_id,
    name: row.name,
    type: row.stream_type as StreamType,
    dataType: row.data_type as DataType,
    dataSchema: row.data_schema ?? undefined,
    csvDelimiter: row.csv_delimiter ?? undefined,
    compressionFormat: row.compression_format ?? undefined,
    retentionHours: row.retention_hours,
    autoScale: {
      enabled: row.auto_scale_enabled === 1,
      min: row.auto_scale_min ?? undefined,
      max: row.auto_scale_max ?? undefined,
    },
    tags: JSON.parse(row.tags) as Tag[],
    sysTags: JSON.parse(row.sys_tags) as Tag[],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...parts,
  };
}
