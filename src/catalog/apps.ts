/** The statements about consuming apps. They decide nothing; what needs several of them wants a transaction around it. */
import type { Kysely } from 'kysely';
import type { ConsumerApp } from '../model/consumer-app.ts';
import { locksRows } from './row-locks.ts';
import type { Database } from './schema.ts';

/** Some apps, by id, or every app of every project. */
export async function selectApps(db: Kysely<Database>, ids?: readonly string[]): Promise<ConsumerApp[]> {
  let apps = db.selectFrom('apps').select(['app_id', 'project_id', 'name', 'created_at']);
  if (ids !== undefined) apps = apps.where('app_id', 'in', ids);
  const rows = await apps.execute();
  return rows.map((row) => ({ id: row.app_id, projectId: row.project_id, name: row.name, createdAt: row.created_at }));
}

/** False, with nothing stored, when the project has an app of that name. */
export async function insertApp(db: Kysely<Database>, app: ConsumerApp): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('apps')
    .values({ app_id: app.id, project_id: app.projectId, name: app.name, created_at: app.createdAt, generation: 0 })
    .onConflict((conflict) => conflict.columns(['project_id', 'name']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function countApps(db: Kysely<Database>, projectId: string): Promise<number> {
  const { count } = await db
    .selectFrom('apps')
    .where('project_id', '=', projectId)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Locks an app that is to be deleted; false when there is none. Wants a locking transaction. */
export async function lockApp(db: Kysely<Database>, appId: string): Promise<boolean> {
  const row = await db
    .selectFrom('apps')
    .select('app_id')
    .where('app_id', '=', appId)
    .$if(locksRows(db), (apps) => apps.forUpdate())
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Those of the apps that are there, with the last generation of each. In a locking transaction none of them goes before
 * its end, nor anything that belongs to it without being seen by whoever deletes it.
 */
export async function holdApps(db: Kysely<Database>, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('apps')
    .select(['app_id', 'generation'])
    .where('app_id', 'in', ids)
    .orderBy('app_id')
    .$if(locksRows(db), (apps) => apps.forKeyShare())
    .execute();
  return new Map(rows.map(({ app_id, generation }) => [app_id, generation]));
}

/** Removes an app, its checkpoints and its group. */
export async function deleteAppRows(db: Kysely<Database>, appId: string): Promise<void> {
  await db.deleteFrom('consumer_groups').where('app_id', '=', appId).execute();
  await db.deleteFrom('checkpoints').where('app_id', '=', appId).execute();
  await db.deleteFrom('apps').where('app_id', '=', appId).execute();
}

/**
 * Sets the next `count` generations of a group aside. Resolves to the last of them; undefined when there is no such app.
 */
export async function reserveGenerations(
  db: Kysely<Database>,
  appId: string,
  count: number,
): Promise<number | undefined> {
  const row = await db
    .updateTable('apps')
    .set((update) => ({ generation: update('generation', '+', count) }))
    .where('app_id', '=', appId)
    .returning('generation')
    .executeTakeFirst();
  return row?.generation;
}
