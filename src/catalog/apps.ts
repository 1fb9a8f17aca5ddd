/** The statements about consuming apps. They decide nothing; what needs several of them wants a transaction around it. */
import type { Kysely } from 'kysely';
import type { ConsumerApp } from '../model/consumer-app.ts';
import type { Database } from './schema.ts';

/** Every app of every project. */
export async function selectApps(db: Kysely<Database>): Promise<ConsumerApp[]> {
  const rows = await db.selectFrom('apps').select(['app_id', 'project_id', 'name', 'created_at']).execute();
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

/** Removes an app and its checkpoints. */
export async function deleteAppRows(db: Kysely<Database>, appId: string): Promise<void> {
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
