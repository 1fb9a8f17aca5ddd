/** The statements about the permission entries of streams. */
import type { Kysely, Selectable } from 'kysely';
import type { SharedAction, StreamPolicy } from '../model/stream.ts';
import type { Database, StreamPoliciesTable } from './schema.ts';

/** The entries of some streams, or of all of them, by the number of the stream, in the order in which they were added. */
export async function selectPolicies(
  db: Kysely<Database>,
  streams?: readonly number[],
): Promise<Map<number, StreamPolicy[]>> {
  let entries = db.selectFrom('stream_policies').selectAll();
  if (streams !== undefined) entries = entries.where('stream', 'in', streams);
  const rows = await entries.orderBy('id').execute();
  const policies = new Map<number, StreamPolicy[]>();
  for (const [stream, ofStream] of Map.groupBy(rows, (row) => row.stream)) policies.set(stream, ofStream.map(toPolicy));
  return policies;
}

/** An entry that is there already is a unique violation. */
export async function insertPolicies(
  db: Kysely<Database>,
  stream: number,
  policies: readonly StreamPolicy[],
  createdAt: number,
): Promise<void> {
  const rows = policies.map(({ principal, principalName, action, effect }) => ({
    stream,
    principal,
    principal_name: principalName,
    action,
    effect,
    created_at: createdAt,
  }));
  if (rows.length > 0) await db.insertInto('stream_policies').values(rows).execute();
}

/** One that is not there is no error. */
export async function deletePolicy(
  db: Kysely<Database>,
  stream: number,
  { principal, action, effect }: StreamPolicy,
): Promise<void> {
  await db
    .deleteFrom('stream_policies')
    .where('stream', '=', stream)
    .where('principal', '=', principal)
    .where('action', '=', action)
    .where('effect', '=', effect)
    .execute();
}

function toPolicy(row: Selectable<StreamPoliciesTable>): StreamPolicy {
  return {
    principal: row.principal,
    principalName: row.principal_name,
    action: row.action as SharedAction,
    effect: row.effect === 'deny' ? 'deny' : 'accept',
  };
}
