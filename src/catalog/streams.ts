/**
 * The statements about streams and their partitions. They read and write rows and decide nothing: which streams may be
 * made is `streams/create-stream.ts`. Everything here that writes several rows wants a transaction around it.
 */
import type { Kysely, Selectable } from 'kysely';
import { formatPartitionId } from '../model/partition-id.ts';
import type {
  DataType,
  Partition,
  PartitionStatus,
  ScalingEvent,
  SharedAction,
  Stream,
  StreamPolicy,
  StreamType,
  Tag,
} from '../model/stream.ts';
import type { Database, PartitionsTable, ScalingLogTable, StreamPoliciesTable, StreamsTable } from './schema.ts';

/** Databases bound the parameters of one statement: 32,766 in SQLite, and a row takes six. */
const ROWS_PER_INSERT = 1000;

/** A stream that has no number yet: the catalog gives it one. */
export interface NewStream extends Omit<Stream, 'number' | 'partitions' | 'policies' | 'scalings'> {
  readonly hashRanges: readonly HashRange[];
}

/** Inclusive ends of the key hashes of one partition. */
export interface HashRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** Every stream of every project with its partitions, in order of number. */
export async function selectStreams(db: Kysely<Database>): Promise<Stream[]> {
  const rows = await db.selectFrom('streams').selectAll().orderBy('number').execute();
  const partitions = await db.selectFrom('partitions').selectAll().orderBy('stream').orderBy('partition').execute();
  const policies = await db.selectFrom('stream_policies').selectAll().orderBy('id').execute();
  const scalings = await db.selectFrom('scaling_log').selectAll().orderBy('id').execute();
  const partitionsOf = Map.groupBy(partitions, (row) => row.stream);
  const policiesOf = Map.groupBy(policies, (row) => row.stream);
  const scalingsOf = Map.groupBy(scalings, (row) => row.stream);
  return rows.map((row) =>
    toStream(row, {
      partitions: (partitionsOf.get(row.number) ?? []).map(toPartition),
      policies: (policiesOf.get(row.number) ?? []).map(toPolicy),
      scalings: (scalingsOf.get(row.number) ?? []).map(toScaling),
    }),
  );
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

  const rows = hashRanges.map(({ low, high }, partition) => ({
    stream: inserted.number,
    partition,
    status: 'ACTIVE',
    hash_low: String(low),
    hash_high: String(high),
    parents: '',
    closed_at: null,
  }));
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT) {
    await db
      .insertInto('partitions')
      .values(rows.slice(at, at + ROWS_PER_INSERT))
      .execute();
  }
  return { ...fields, number: inserted.number, partitions: rows.map(toPartition), policies: [], scalings: [] };
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

/** Removes a stream with all that belongs to it, its dump tasks apart, and remembers its number in deleted_streams. */
export async function deleteStreamRows(db: Kysely<Database>, number: number, at: number): Promise<void> {
  await db.insertInto('deleted_streams').values({ number, deleted_at: at }).execute();
  await db.deleteFrom('partitions').where('stream', '=', number).execute();
  await db.deleteFrom('stream_policies').where('stream', '=', number).execute();
  await db.deleteFrom('scaling_log').where('stream', '=', number).execute();
  await db.deleteFrom('checkpoints').where('stream', '=', number).execute();
  await db.deleteFrom('metric_points').where('stream', '=', number).execute();
  await db.deleteFrom('streams').where('number', '=', number).execute();
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

function toPolicy(row: Selectable<StreamPoliciesTable>): StreamPolicy {
  return {
    principal: row.principal,
    principalName: row.principal_name,
    action: row.action as SharedAction,
    effect: row.effect === 'deny' ? 'deny' : 'accept',
  };
}

function toScaling(row: Selectable<ScalingLogTable>): ScalingEvent {
  return {
    at: row.at,
    from: row.from_count,
    to: row.to_count,
    succeeded: row.succeeded === 1,
    automatic: row.automatic === 1,
    message: row.message,
  };
}
