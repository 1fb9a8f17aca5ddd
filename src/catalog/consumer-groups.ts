/** The statements about consumer groups that any node can answer for. What a state says is `apps/groups/group-state.ts`. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { locksRows } from './row-locks.ts';
import type { Database } from './schema.ts';

export interface StoredGroup {
  readonly state: string;
  readonly revision: number;
  /** In ms. */
  readonly updatedAt: number;
  /** The time of the database in ms; undefined where that is this process's own. */
  readonly now: number | undefined;
}

/** The group of an app, locked until the end of the transaction; undefined when nobody has joined it yet. */
export async function lockGroup(db: Kysely<Database>, appId: string): Promise<StoredGroup | undefined> {
  const shared = locksRows(db);
  const now: RawBuilder<number | null> = shared
    ? sql`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
    : sql`null`;
  const row = await db
    .selectFrom('consumer_groups')
    .select(['state', 'revision', 'updated_at', now.as('now')])
    .where('app_id', '=', appId)
    .$if(shared, (groups) => groups.forUpdate())
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { state: row.state, revision: row.revision, updatedAt: row.updated_at, now: row.now ?? undefined };
}

/** Stores a group unless the app has one. The app must be held, see `holdApps`. */
export async function insertGroup(db: Kysely<Database>, appId: string, state: string): Promise<void> {
  await db
    .insertInto('consumer_groups')
    .values({ app_id: appId, state, revision: 0, updated_at: 0 })
    .onConflict((conflict) => conflict.column('app_id').doNothing())
    .execute();
}

/** For a group that is locked. */
export async function updateGroup(
  db: Kysely<Database>,
  appId: string,
  { state, revision, updatedAt }: Omit<StoredGroup, 'now'>,
): Promise<void> {
  await db
    .updateTable('consumer_groups')
    .set({ state, revision, updated_at: updatedAt })
    .where('app_id', '=', appId)
    .execute();
}
