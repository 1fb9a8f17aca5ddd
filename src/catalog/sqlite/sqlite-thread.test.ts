import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Kysely, sql } from 'kysely';
import { ThreadedSqliteDialect } from './dialect.ts';
import type { WorkerOptions } from './protocol.ts';
import { SqliteThread } from './sqlite-thread.ts';

function spawn(options: WorkerOptions): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url), { workerData: options });
}

/** Runs long enough for the thread to be ended meanwhile, which takes effect when the statement is through. */
const SLOW = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000)
  select count(*) from n`;

async function withFolder(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-thread-'));
  try {
    await use(join(folder, 'test.db'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a thread that dies fails what waits for it and what comes after', () =>
  withFolder(async (path) => {
    const worker = spawn({ path, readOnly: false });
    const thread = await SqliteThread.start({ path, readOnly: false }, worker);
    const waiting = [thread.run('alone', SLOW, []), thread.run('alone', 'select 1', [])];
    const results = Promise.all(waiting.map((run) => assert.rejects(run, /thread stopped/)));
    await worker.terminate();
    await results;
    assert.equal(thread.dead, true);
    await assert.rejects(thread.run('alone', 'select 1', []), /thread stopped/);
    await thread.close();
  }));

test('a dead thread is replaced for the next caller, never within a transaction', () =>
  withFolder(async (path) => {
    const workers: Worker[] = [];
    const db = new Kysely<{ t: { a: number } }>({
      dialect: new ThreadedSqliteDialect(() => {
        workers.push(spawn({ path, readOnly: false }));
        return SqliteThread.start({ path, readOnly: false }, workers.at(-1));
      }),
    });
    await sql`create table t (a integer)`.execute(db);
    const transaction = db.transaction().execute(async (trx) => {
      await trx.insertInto('t').values({ a: 1 }).execute();
      await workers[0]!.terminate();
      await assert.rejects(trx.insertInto('t').values({ a: 2 }).execute(), /thread stopped/);
    });
    await assert.rejects(transaction, /thread stopped/);
    assert.deepEqual(await db.selectFrom('t').selectAll().execute(), []);
    assert.equal(workers.length, 2);
    await db.destroy();
  }));

test('a thread that cannot start fails the statement, and the next one tries again', () =>
  withFolder(async (path) => {
    let tries = 0;
    const db = new Kysely<{ t: { a: number } }>({
      dialect: new ThreadedSqliteDialect(async () => {
        if (tries++ === 0) throw new Error('no thread today');
        return SqliteThread.start({ path, readOnly: false });
      }),
    });
    await assert.rejects(sql`create table t (a integer)`.execute(db), /no thread today/);
    await sql`create table t (a integer)`.execute(db);
    await db.destroy();
  }));

test('a parameter that cannot be sent fails its own statement only', () =>
  withFolder(async (path) => {
    const thread = await SqliteThread.start({ path, readOnly: false });
    await assert.rejects(thread.run('alone', 'select ?', [(() => 1) as never]), /could not be cloned/);
    assert.deepEqual((await thread.run('alone', 'select ? as n', [1])).rows, [{ n: 1 }]);
    await thread.close();
  }));

test('an integer that a number cannot hold is refused rather than rounded', () =>
  withFolder(async (path) => {
    const thread = await SqliteThread.start({ path, readOnly: false });
    const safe = await thread.run('alone', 'select 9007199254740991 as n', []);
    assert.deepEqual(safe.rows, [{ n: Number.MAX_SAFE_INTEGER }]);
    await assert.rejects(thread.run('alone', 'select 9007199254740993 as n', []), { code: 'ERR_OUT_OF_RANGE' });
    await thread.close();
  }));
