import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { ONLY_SQLITE, openTestCatalog } from '../../test/support/catalog.ts';
import { isMigrated, migrate } from './migrate.ts';
import type { Database } from './schema.ts';

const SORTS = ['created_at', 'start_time', 'end_time', 'state', 'records', 'read_records', 'bytes'] as const;

async function explain(db: Kysely<Database>, query: CompiledQuery): Promise<string[]> {
  const { rows } = await db.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]),
  );
  return rows.map(({ detail }) => detail);
}

test('migrating twice changes nothing', async () => {
  await using catalog = await openTestCatalog();
  await catalog.db.insertInto('meta').values({ key: 'a', value: '1' }).execute();
  await migrate(catalog.db);
  assert.equal((await catalog.db.selectFrom('meta').selectAll().execute()).length, 1);
});

test('a migration that fails halfway leaves nothing', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const failing = {
    async up(db: Kysely<unknown>) {
      await sql`create table half_done (a integer)`.execute(db);
      throw new RangeError('on purpose');
    },
  };
  const migrator = new Migrator({
    db: catalog.db,
    provider: { getMigrations: async () => ({ failing }) },
    migrationTableName: 'test_migration',
  });
  const { error } = await migrator.migrateToLatest();
  assert.ok(error instanceof RangeError);
  await assert.rejects(sql`select * from half_done`.execute(catalog.db), /no such table/);
});

test('a catalog of a newer version is refused', async () => {
  await using catalog = await openTestCatalog();
  await sql`insert into kysely_migration values ('9999-newer', '2026-01-01T00:00:00.000Z')`.execute(catalog.db);
  await assert.rejects(migrate(catalog.db), /9999-newer/);
});

test('whether a catalog has the layout of this version is told without changing it', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  assert.equal(await isMigrated(db), true);
  await sql`insert into kysely_migration values ('9999-newer', '2026-01-01T00:00:00.000Z')`.execute(db);
  assert.equal(await isMigrated(db), false);
  await sql`delete from kysely_migration where name <> '0001-initial'`.execute(db);
  assert.equal(await isMigrated(db), false);
  await sql`drop table kysely_migration`.execute(db);
  assert.equal(await isMigrated(db), false);
  const tables = await sql`select * from sqlite_master where name = 'kysely_migration'`.execute(db);
  assert.deepEqual(tables.rows, []);
});

test('a page of the dump log is read off an index, whatever it is sorted by', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  for (const column of SORTS) {
    for (const direction of ['asc', 'desc'] as const) {
      const query = catalog.reader
        .selectFrom('dump_log')
        .selectAll()
        .where('task_id', '=', 't')
        .orderBy(column, direction)
        .orderBy('id', direction)
        .limit(10)
        .offset(20);
      const plan = await explain(catalog.reader, query.compile());
      assert.deepEqual(plan, [`SEARCH dump_log USING INDEX dump_log_${column} (task_id=?)`]);
    }
  }
});

test('the open plans of all tasks are found without reading the log', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  // A literal state: SQLite uses a partial index only when it can see that the condition holds.
  const query = catalog.db.selectFrom('dump_log').selectAll().where('state', '=', sql.lit(2));
  const [step] = await explain(catalog.db, query.compile());
  assert.match(step!, /USING INDEX dump_log_planned/);
});

test('every other statement finds its rows by an index too', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  const queries = {
    tokens_expiry: db.deleteFrom('tokens').where('expires_at', '<=', 1),
    projects_name: db.selectFrom('projects').selectAll().where('domain', '=', 'd').where('name', '=', 'n'),
    users_name: db.selectFrom('users').selectAll().where('domain', '=', 'd').where('name', '=', 'n'),
    dump_tasks_name: db
      .selectFrom('dump_tasks')
      .selectAll()
      .where('stream', '=', 1)
      .where('name', '=', 'n')
      .where('deleted_at', 'is', null),
  };
  for (const [name, query] of Object.entries(queries)) {
    const [step] = await explain(db, query.compile());
    assert.match(step!, /^SEARCH .* USING (COVERING )?INDEX /, name);
  }
});

test('the number of a deleted stream is not used again', async () => {
  await using catalog = await openTestCatalog();
  const insert = () =>
    catalog.db
      .insertInto('streams')
      .values({
        stream_id: 's',
        project_id: 'p',
        name: 'n',
        stream_type: 'COMMON',
        data_type: 'BLOB',
        data_schema: null,
        csv_delimiter: null,
        compression_format: null,
        retention_hours: 24,
        auto_scale_enabled: 0,
        auto_scale_min: null,
        auto_scale_max: null,
        tags: '[]',
        sys_tags: '[]',
        created_at: 0,
        updated_at: 0,
      })
      .returning('number')
      .executeTakeFirstOrThrow();
  const first = await insert();
  await catalog.db.deleteFrom('streams').execute();
  const second = await insert();
  assert.deepEqual([first.number, second.number], [1, 2]);
});
