/** What nodes tell each other of: see cluster/cluster.ts. PostgreSQL only. */
import { sql, type Kysely } from 'kysely';
import { POSTGRES_NOW } from './postgres/now.ts';
import type { Database } from './schema.ts';

export interface ChangeRow {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  /** The node that announced it. */
  readonly node: string;
}

/** Any number: whoever adds a change has it to itself, so that changes become visible in the order of their numbers. */
const ORDER_LOCK = 7_236_001;

/** Within a transaction, which nobody else can add a change beside: to be called last. Resolves to its number. */
export async function insertChange(transaction: Kysely<Database>, change: Omit<ChangeRow, 'id'>): Promise<number> {
  await sql`select pg_advisory_xact_lock(${ORDER_LOCK})`.execute(transaction);
  const { id } = await transaction
    .insertInto('changes')
    .values({ ...change, at: POSTGRES_NOW })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Up to `limit` changes after `seen`, in order. */
export async function selectChangesAfter(db: Kysely<Database>, seen: number, limit: number): Promise<ChangeRow[]> {
  return db
    .selectFrom('changes')
    .select(['id', 'kind', 'key', 'node'])
    .where('id', '>', seen)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Whether every live node has taken in `change`. */
export async function isSeenByAll(db: Kysely<Database>, change: number): Promise<boolean> {
  const behind = await db
    .selectFrom('nodes')
    .select('id')
    .where('expires_at', '>', POSTGRES_NOW)
    .where('change_seen', '<', change)
    .limit(1)
    .executeTakeFirst();
  return behind === undefined;
}

/** The number of the last change; 0 when there has been none. */
export async function selectLastChange(db: Kysely<Database>): Promise<number> {
  const { last } = await db
    .selectFrom('changes')
    .select(({ fn }) => fn.max('id').as('last'))
    .executeTakeFirstOrThrow();
  return Number(last ?? 0);
}

/** Removes changes older than `ms`, but for the last one, whose number nodes go on from. */
export async function deleteOldChanges(db: Kysely<Database>, ms: number): Promise<void> {
  await sql`delete from changes where at < ${POSTGRES_NOW} - ${ms} and id < (select max(id) from changes)`.execute(db);
}
