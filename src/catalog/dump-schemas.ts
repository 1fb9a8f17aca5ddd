/** The statements about what is known of the columns of records without a schema. They decide nothing. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** The columns of a revision, as JSON of a RowSchema. */
export async function selectColumns(db: Kysely<Database>, taskId: string, revision: number): Promise<string> {
  const { columns } = await db
    .selectFrom('dump_schemas')
    .select('columns')
    .where('task_id', '=', taskId)
    .where('revision', '=', revision)
    .executeTakeFirstOrThrow();
  return columns;
}

/** The newest revision; undefined for none. */
export async function selectNewestColumns(
  db: Kysely<Database>,
  taskId: string,
): Promise<{ revision: number; columns: string } | undefined> {
  return db
    .selectFrom('dump_schemas')
    .select(['revision', 'columns'])
    .where('task_id', '=', taskId)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Makes it the task's newest revision. */
export async function insertColumns(
  db: Kysely<Database>,
  row: { task_id: string; revision: number; columns: string; created_at: number },
): Promise<void> {
  await db.insertInto('dump_schemas').values(row).execute();
  await db
    .updateTable('dump_tasks')
    .set({ schema_revision: row.revision })
    .where('task_id', '=', row.task_id)
    .execute();
}
