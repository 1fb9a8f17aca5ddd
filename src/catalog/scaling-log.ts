/** The statements about the log of changes of the number of partitions. */
import type { Kysely, Selectable } from 'kysely';
import type { ScalingEvent } from '../model/stream.ts';
import type { Database, ScalingLogTable } from './schema.ts';

/** The entries of some streams, or of all of them, by the number of the stream, the newest last. */
export async function selectScalings(
  db: Kysely<Database>,
  streams?: readonly number[],
): Promise<Map<number, ScalingEvent[]>> {
  let entries = db.selectFrom('scaling_log').selectAll();
  if (streams !== undefined) entries = entries.where('stream', 'in', streams);
  const rows = await entries.orderBy('id').execute();
  const scalings = new Map<number, ScalingEvent[]>();
  for (const [stream, ofStream] of Map.groupBy(rows, (row) => row.stream))
    scalings.set(stream, ofStream.map(toScaling));
  return scalings;
}

export async function insertScaling(db: Kysely<Database>, stream: number, event: ScalingEvent): Promise<void> {
  await db
    .insertInto('scaling_log')
    .values({
      stream,
      at: event.at,
      from_count: event.from,
      to_count: event.to,
      succeeded: event.succeeded ? 1 : 0,
      automatic: event.automatic ? 1 : 0,
      message: event.message,
    })
    .execute();
}

/** Forgets entries that are older than `time` (ms, exclusive). */
export async function deleteScalingsBefore(db: Kysely<Database>, time: number): Promise<void> {
  await db.deleteFrom('scaling_log').where('at', '<', time).execute();
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
