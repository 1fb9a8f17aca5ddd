import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openTestCatalog } from '../../../test/support/catalog.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { openSqliteCatalog } from './open.ts';
import { isDiskFull } from '../disk-full.ts';
import { SqliteError } from './sqlite-thread.ts';

test('what is committed is there after a reopen, and the reader sees it at once', async () => {
  await using catalog = await openTestCatalog();
  await catalog.db.insertInto('meta').values({ key: 'a', value: '1' }).execute();
  assert.deepEqual(await catalog.reader.selectFrom('meta').selectAll().execute(), [{ key: 'a', value: '1' }]);
  const again = await catalog.reopen();
  assert.deepEqual(await again.db.selectFrom('meta').selectAll().execute(), [{ key: 'a', value: '1' }]);
  await again.close();
});

test('commits are durable: WAL, synchronous=FULL, and a file that only its owner reads', async () => {
  await using catalog = await openTestCatalog();
  const { rows: journal } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(catalog.db);
  const { rows: sync } = await sql<{ synchronous: number }>`pragma synchronous`.execute(catalog.db);
  const { rows: keys } = await sql<{ foreign_keys: number }>`pragma foreign_keys`.execute(catalog.db);
  assert.deepEqual([journal, sync, keys], [[{ journal_mode: 'wal' }], [{ synchronous: 2 }], [{ foreign_keys: 1 }]]);
  for (const file of ['catalog.db', 'catalog.db-wal']) {
    assert.equal((await stat(join(catalog.folder, file))).mode & 0o777, 0o600);
  }
});

test('a number that could not be read back exactly is not written', async () => {
  await using catalog = await openTestCatalog();
  await sql`create table n (a integer)`.execute(catalog.db);
  for (const exact of [2 ** 53 - 1, -(2 ** 53) + 1, 0.5])
    await sql`insert into n values (${exact})`.execute(catalog.db);
  for (const inexact of [2 ** 53, -(2 ** 53), 1e300]) {
    await assert.rejects(sql`insert into n values (${inexact})`.execute(catalog.db), RangeError);
  }
  const { rows } = await sql`select a from n`.execute(catalog.db);
  assert.deepEqual(rows, [{ a: 2 ** 53 - 1 }, { a: -(2 ** 53) + 1 }, { a: 0.5 }]);
});

test('the reader cannot write', async () => {
  await using catalog = await openTestCatalog();
  await assert.rejects(catalog.reader.deleteFrom('meta').execute(), /readonly/);
});

test('counts and generated numbers come back', async () => {
  await using catalog = await openTestCatalog();
  await catalog.db
    .insertInto('meta')
    .values(['a', 'b', 'c'].map((key) => ({ key, value: '' })))
    .execute();
  const deleted = await catalog.db.deleteFrom('meta').where('key', '!=', 'a').executeTakeFirst();
  assert.equal(deleted.numDeletedRows, 2n);
  const row = await catalog.db
    .insertInto('projects')
    .values({ id: 'p', domain: 'd', name: 'n', created_at: 2 ** 53 - 1 })
    .returning(['id', 'created_at'])
    .executeTakeFirstOrThrow();
  assert.deepEqual(row, { id: 'p', created_at: 2 ** 53 - 1 });
});

test('a unique violation is told by its code, from a primary key and from another index', async () => {
  await using catalog = await openTestCatalog();
  const insert = (id: string, name: string) =>
    catalog.db.insertInto('projects').values({ id, domain: 'd', name, created_at: 0 }).execute();
  await insert('1', 'a');
  await assert.rejects(insert('1', 'b'), isUniqueViolation);
  await assert.rejects(insert('2', 'a'), isUniqueViolation);
  await assert.rejects(
    sql`select * from nowhere`.execute(catalog.db),
    (error) => error instanceof SqliteError && !isUniqueViolation(error) && error.sql === 'select * from nowhere',
  );
});

test('transactions do not interleave with each other or with single statements', async () => {
  await using catalog = await openTestCatalog();
  await catalog.db.insertInto('meta').values({ key: 'n', value: '0' }).execute();
  const increment = () =>
    catalog.db.transaction().execute(async (trx) => {
      const { value } = await trx.selectFrom('meta').select('value').where('key', '=', 'n').executeTakeFirstOrThrow();
      await trx
        .updateTable('meta')
        .set({ value: String(Number(value) + 1) })
        .where('key', '=', 'n')
        .execute();
    });
  const single = (key: string) => catalog.db.insertInto('meta').values({ key, value: '' }).execute();
  await Promise.all([increment(), single('x'), increment(), single('y'), increment()]);
  const rows = await catalog.db.selectFrom('meta').selectAll().orderBy('key').execute();
  assert.deepEqual(rows, [
    { key: 'n', value: '3' },
    { key: 'x', value: '' },
    { key: 'y', value: '' },
  ]);
});

test('a transaction that throws leaves nothing, one without statements needs nothing', async () => {
  await using catalog = await openTestCatalog();
  const failing = catalog.db.transaction().execute(async (trx) => {
    await trx.insertInto('meta').values({ key: 'a', value: '' }).execute();
    throw new RangeError('on purpose');
  });
  await assert.rejects(failing, RangeError);
  await catalog.db.transaction().execute(async () => {});
  assert.deepEqual(await catalog.db.selectFrom('meta').selectAll().execute(), []);
});

test('a full disk reaches the caller, and nothing of its transaction is kept even if the caller goes on', async () => {
  await using catalog = await openTestCatalog();
  // SQLite's own limit on the file stands for a full disk: the code and the automatic rollback are the same.
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(catalog.db);
  await sql.raw(`pragma max_page_count = ${rows[0]!.page_count + 2}`).execute(catalog.db);
  const big = { key: 'big', value: 'x'.repeat(1_000_000) };
  const isFull = (error: unknown) => error instanceof SqliteError && isDiskFull(error);

  await assert.rejects(catalog.db.insertInto('meta').values(big).execute(), isFull);
  const stubborn = catalog.db.transaction().execute(async (trx) => {
    await trx.insertInto('meta').values({ key: 'before', value: '' }).execute();
    await assert.rejects(trx.insertInto('meta').values(big).execute(), isFull);
    await sql`rollback`.execute(trx);
    await trx.insertInto('meta').values({ key: 'after', value: '' }).execute();
  });
  await assert.rejects(stubborn, /rolled back/);
  assert.deepEqual(await catalog.db.selectFrom('meta').selectAll().execute(), []);

  await catalog.db.insertInto('meta').values({ key: 'small', value: '' }).execute();
});

test('a file that is not a database is refused, and so is one in a missing folder', async () => {
  await using catalog = await openTestCatalog();
  const path = join(catalog.folder, 'notes.txt');
  await writeFile(path, 'not a database '.repeat(100));
  await assert.rejects(openSqliteCatalog({ path }), (error) => error instanceof SqliteError && error.errcode === 26);
  await assert.rejects(openSqliteCatalog({ path: join(catalog.folder, 'no', 'db') }), { code: 'ENOENT' });
});

test('after close every statement is refused, also one that was waiting for its turn', async () => {
  await using catalog = await openTestCatalog();
  const other = await catalog.reopen();
  const waiting = Array.from({ length: 5 }, (_, i) =>
    other.db
      .insertInto('meta')
      .values({ key: `k${i}`, value: '' })
      .execute(),
  );
  const [closed, ...results] = await Promise.allSettled([other.close(), ...waiting]);
  assert.equal(closed.status, 'fulfilled');
  assert.equal(results.at(-1)?.status, 'rejected');
  await assert.rejects(other.db.selectFrom('meta').selectAll().execute());
  // What was answered is there, and nothing else.
  const rows = await catalog.db.selectFrom('meta').select('key').execute();
  assert.equal(rows.length, results.filter(({ status }) => status === 'fulfilled').length);
});

test('more different statements than are kept prepared still run', async () => {
  await using catalog = await openTestCatalog();
  for (let i = 0; i < 600; i++) {
    const { rows } = await sql<{ n: number }>`select ${sql.lit(i % 300)} as n`.execute(catalog.db);
    assert.deepEqual(rows, [{ n: i % 300 }]);
  }
});
