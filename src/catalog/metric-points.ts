/** The statements about what went through streams and partitions by the minute. */
import { sql, type Kysely } from 'kysely';
import type { Database, MetricPointsTable } from './schema.ts';

/** The columns of a point that count something. */
export type Counters = Omit<MetricPointsTable, 'stream' | 'partition' | 'minute'>;

export const COUNTERS = [
  'put_records',
  'put_bytes',
  'get_records',
  'get_bytes',
  'put_requests',
  'put_ms',
  'get_requests',
  'get_ms',
  'put_throttled',
  'get_throttled',
] as const satisfies readonly (keyof Counters)[];

/** `partition` of the points of a whole stream. */
export const WHOLE_STREAM = -1;

/** Databases bound the parameters of one statement: 32,766 in SQLite, and a point takes thirteen. */
const POINTS_PER_INSERT = 1000;

/** Adds to each point what is stored of its minute already, by this node or others. Wants a locking transaction around it. */
export async function addMetricPoints(db: Kysely<Database>, points: readonly MetricPointsTable[]): Promise<void> {
  const sums = Object.fromEntries(COUNTERS.map((name) => [name, sum(name)]));
  // In order of their keys: two nodes that add to the same rows must not wait for each other.
  const sorted = points.toSorted((a, b) => a.stream - b.stream || a.partition - b.partition || a.minute - b.minute);
  for (let at = 0; at < sorted.length; at += POINTS_PER_INSERT) {
    await db
      .insertInto('metric_points')
      .values(sorted.slice(at, at + POINTS_PER_INSERT))
      .onConflict((conflict) => conflict.columns(['stream', 'partition', 'minute']).doUpdateSet(sums))
      .execute();
  }
}

/** The points of [from, to], in order of minute; minutes without traffic have none. */
export async function selectMetricPoints(
  db: Kysely<Database>,
  { stream, partition }: Pick<MetricPointsTable, 'stream' | 'partition'>,
  from: number,
  to: number,
): Promise<MetricPointsTable[]> {
  return db
    .selectFrom('metric_points')
    .selectAll()
    .where('stream', '=', stream)
    .where('partition', '=', partition)
    .where('minute', '>=', from)
    .where('minute', '<=', to)
    .orderBy('minute')
    .execute();
}

/** The points of some whole streams in one minute; streams without traffic have none. */
export async function selectStreamsInMinute(
  db: Kysely<Database>,
  streams: readonly number[],
  minute: number,
): Promise<MetricPointsTable[]> {
  const points: MetricPointsTable[] = [];
  for (let at = 0; at < streams.length; at += POINTS_PER_INSERT) {
    const found = await db
      .selectFrom('metric_points')
      .selectAll()
      .where('stream', 'in', streams.slice(at, at + POINTS_PER_INSERT))
      .where('partition', '=', WHOLE_STREAM)
      .where('minute', '=', minute)
      .execute();
    points.push(...found);
  }
  return points;
}

export async function deleteMetricPointsBefore(db: Kysely<Database>, minute: number): Promise<void> {
  await db.deleteFrom('metric_points').where('minute', '<', minute).execute();
}

function sum(name: keyof Counters) {
  return sql<number>`metric_points.${sql.ref(name)} + excluded.${sql.ref(name)}`;
}
