import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { openLog, TASK } from '../../../test/support/log-rows.ts';
import type { TestCatalog } from '../../../test/support/catalog.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { insertPlans, type NewLogRow } from '../../catalog/dump-log.ts';
import { addLogRows, insertTaskVersion, markTaskDeleted } from '../../catalog/dump-tasks.ts';
import { LogPruner } from './log-pruner.ts';
import { stringifySettings, parseStoredSettings, type DumpSettings } from '../settings/settings.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const DAYS = 30;
/** Planned and ended before it: may go. */
const CUTOFF = NOW - DAYS * DAY;
const OLD = CUTOFF - DAY;

const SETTINGS = parseStoredSettings(
  JSON.stringify({
    bucket: 'b',
    prefix: '',
    partitionFormat: '',
    deliverSeconds: 60,
    delimiter: '',
    consumerStrategy: 'LATEST',
  }),
);

let names = 0;
function row(more: Partial<NewLogRow>): NewLogRow {
  const createdAt = more.created_at ?? OLD;
  return {
    task_id: TASK,
    task_version: 1,
    partition: 0,
    state: 0,
    first_sequence: 0,
    next_sequence: 10,
    created_at: createdAt,
    start_time: createdAt - 1000,
    end_time: createdAt + 1000,
    read_records: 10,
    records: 10,
    bytes: 100,
    file_name: `file${(names += 1)}`,
    bucket: 'b',
    object_key: 'k',
    checksum: null,
    etag: null,
    attempt: 1,
    error_code: null,
    cause: null,
    given_up: 0,
    ...more,
  };
}

async function open(settings: Partial<DumpSettings> = {}): Promise<TestCatalog> {
  const catalog = await openLog(0);
  for (const task_id of [TASK]) {
    const text = stringifySettings({ ...SETTINGS, ...settings });
    await insertTaskVersion(catalog.db, { task_id, version: 1, settings: text, created_at: 1 });
    for (const partition of [0, 1]) {
      await catalog.db
        .insertInto('dump_positions')
        .values({
          task_id,
          partition,
          position: 1000,
          waiting_since: 0,
          last_name_time: 0,
          last_transfer_at: null,
          discarded: 0,
          start_position: 0,
          end_position: null,
          warned_position: null,
        })
        .execute();
    }
  }
  return catalog;
}

async function add(catalog: TestCatalog, ...rows: NewLogRow[]): Promise<number[]> {
  const ids = await insertPlans(catalog.db, rows);
  await addLogRows(catalog.db, TASK, rows.length);
  return ids;
}

async function prune(catalog: TestCatalog, { days = DAYS, batchRows = 3 } = {}): Promise<void> {
  const clock = new ManualClock(NOW);
  const pruner = new LogPruner({ catalog, clock, days, batchRows });
  let done = false;
  const look = pruner.look().finally(() => (done = true));
  while (!done) {
    if (clock.pending > 0) clock.advance(10);
    await setImmediate();
  }
  await look;
}

async function kept(catalog: TestCatalog): Promise<number[]> {
  const rows = await catalog.db.selectFrom('dump_log').select('id').where('task_id', '=', TASK).orderBy('id').execute();
  const task = await catalog.db.selectFrom('dump_tasks').selectAll().where('task_id', '=', TASK).executeTakeFirst();
  if (task !== undefined) assert.equal(task.log_rows, rows.length, 'log_rows counts the rows');
  return rows.map(({ id }) => id);
}

async function begins(catalog: TestCatalog) {
  const { log_begin } = await catalog.db
    .selectFrom('dump_tasks')
    .select('log_begin')
    .where('task_id', '=', TASK)
    .executeTakeFirstOrThrow();
  const positions = await catalog.db
    .selectFrom('dump_positions')
    .select('start_position')
    .where('task_id', '=', TASK)
    .orderBy('partition')
    .execute();
  return [log_begin, ...positions.map(({ start_position }) => start_position)];
}

test('rows go that were planned and ended before the time, whole cuts in the order of their plans', async () => {
  await using catalog = await open();
  const cut = { created_at: OLD, first_sequence: 0, next_sequence: 10 };
  const [plan] = await add(catalog, row(cut));
  // Its further files are more than a batch.
  await add(catalog, ...Array.from({ length: 7 }, () => row({ ...cut, plan_id: plan! })));
  await add(
    catalog,
    row({ created_at: OLD + 1, partition: 1, first_sequence: 0, next_sequence: 4, state: 1, given_up: 1 }),
    row({ created_at: OLD + 2, first_sequence: 10, next_sequence: 30 }),
    row({ created_at: OLD + 3, first_sequence: 30, next_sequence: 40, state: 1 }),
    row({ created_at: CUTOFF - 1, end_time: CUTOFF - 1, partition: 1, first_sequence: 4, next_sequence: 5 }),
  );
  const rest = await add(
    catalog,
    row({ created_at: CUTOFF, first_sequence: 30, next_sequence: 50 }),
    row({ created_at: NOW, first_sequence: 50, next_sequence: 60 }),
  );
  await prune(catalog);
  assert.deepEqual(await kept(catalog), rest);
  assert.deepEqual(await begins(catalog), [CUTOFF, 30, 5]);
});

test('nothing goes when the log is kept for ever', async () => {
  await using catalog = await open();
  const ids = await add(catalog, row({ created_at: 1 }));
  await prune(catalog, { days: 0 });
  assert.deepEqual(await kept(catalog), ids);
  assert.deepEqual(await begins(catalog), [null, 0, 0]);
});

const NEEDED: Readonly<Record<string, Partial<NewLogRow>>> = {
  'a plan that is not done': { state: 2 },
  'a cut that ended late': { end_time: CUTOFF },
  'an object that a merge has replaced and nobody has removed': { superseded_at: OLD },
};

for (const [what, members] of Object.entries(NEEDED)) {
  test(`the log is kept from the first row on that something needs: ${what}`, async () => {
    for (const batchRows of [1, 3]) {
      await using catalog = await open();
      await add(catalog, row({ created_at: OLD, next_sequence: 10 }));
      const rest = await add(
        catalog,
        // An attempt at the same plan, and a file of the same cut, stay with it.
        row({ created_at: OLD + 1, first_sequence: 10, next_sequence: 20, state: 1 }),
        row({ created_at: OLD + 1, first_sequence: 10, next_sequence: 20 }),
        row({ created_at: OLD + 1, first_sequence: 10, next_sequence: 20, ...members }),
        row({ created_at: OLD + 2, first_sequence: 20, next_sequence: 30 }),
      );
      await prune(catalog, { batchRows });
      assert.deepEqual(await kept(catalog), rest, `batches of ${batchRows}`);
      assert.deepEqual(await begins(catalog), [OLD + 1, 10, 0]);
      await catalog.db
        .updateTable('dump_log')
        .set({ state: 0, end_time: OLD + 2, removed_at: OLD + 2 })
        .where('id', '=', rest[2]!)
        .execute();
      await prune(catalog, { batchRows });
      assert.deepEqual(await kept(catalog), []);
      assert.deepEqual(await begins(catalog), [OLD + 3, 30, 0]);
    }
  });
}

test('what a merge or a redrive has taken is kept while that is under way or young', async () => {
  for (const taken of ['merge_id', 'redriven_by'] as const) {
    await using catalog = await open();
    const kind = taken === 'merge_id' ? 'merge' : 'redrive';
    const [other] = await add(catalog, row({ kind, created_at: OLD + 5, state: 2, partition: -1 }));
    const [input] = await add(catalog, row({ created_at: OLD, [taken]: other! }));
    await prune(catalog);
    assert.deepEqual(await kept(catalog), [other!, input!]);
    await catalog.db.updateTable('dump_log').set({ state: 0 }).where('id', '=', other!).execute();
    await prune(catalog);
    assert.deepEqual(await kept(catalog), []);
  }
});

test('a directory that has begun is waited for until it is complete, merged and told, if the task does that', async () => {
  const period = OLD - DAY;
  const done = { completed_at: OLD, merged_at: OLD, late_since: null };
  for (const [settings, undone, waits] of [
    [{ manifest: true }, { ...done, completed_at: null }, true],
    [{ manifest: true }, { ...done, merged_at: null }, false],
    [{ mergeMegabytes: 128 }, { ...done, merged_at: null }, true],
    [{ mergeMegabytes: 128 }, { ...done, late_since: OLD }, true],
    [{}, { ...done, completed_at: null }, false],
  ] as const) {
    // One that lies in the future is not waited for: a wrong clock of a producer would keep the log for ever.
    for (const start of waits ? [period, NOW, NOW + 1] : [period]) {
      await using catalog = await open(settings);
      const ids = await add(catalog, row({ period: start }));
      await catalog.db
        .insertInto('dump_periods')
        .values({ task_id: TASK, period: start, ends_at: NOW + DAY, manifests: 0, ...undone })
        .execute();
      await prune(catalog);
      assert.deepEqual(await kept(catalog), waits && start <= NOW ? ids : [], JSON.stringify([settings, undone]));
    }
  }
});

test('a manifest that is planned and not stored keeps its files', async () => {
  await using catalog = await open({ manifest: true });
  const ids = await add(catalog, row({ period: OLD, manifest: 0 }));
  const manifest = { task_id: TASK, period: OLD, number: 0, bucket: 'b', object_key: 'm', created_at: OLD };
  await catalog.db
    .insertInto('dump_manifests')
    .values({ ...manifest, stored_at: null, files: 1, records: 1, bytes: 1, checksum: null, etag: null })
    .execute();
  await prune(catalog);
  assert.deepEqual(await kept(catalog), ids);
  await catalog.db.updateTable('dump_manifests').set({ stored_at: NOW }).execute();
  await prune(catalog);
  assert.deepEqual(await kept(catalog), []);
});

test('a deleted task is forgotten with its last row, and waits for nothing', async () => {
  await using catalog = await open({ manifest: true });
  await add(catalog, row({ period: OLD }));
  await catalog.db
    .insertInto('dump_periods')
    .values({ task_id: TASK, period: OLD, ends_at: OLD, manifests: 0, completed_at: null, merged_at: null })
    .execute();
  const tables = ['dump_tasks', 'dump_task_versions', 'dump_positions', 'dump_periods'] as const;
  const left = async () => {
    const counts: number[] = [];
    for (const table of tables) {
      counts.push((await catalog.db.selectFrom(table).select('task_id').where('task_id', '=', TASK).execute()).length);
    }
    return counts;
  };
  await markTaskDeleted(catalog.db, TASK, 'DELETE', CUTOFF);
  await prune(catalog);
  assert.deepEqual(await kept(catalog), []);
  assert.deepEqual(await left(), [1, 1, 2, 1]);
  await catalog.db
    .updateTable('dump_tasks')
    .set({ deleted_at: CUTOFF - 1 })
    .execute();
  await prune(catalog);
  assert.deepEqual(await left(), [0, 0, 0, 0]);
});

test('a pruner that is closed ends after its transaction, also in the middle of a pause', async () => {
  await using catalog = await open();
  await add(catalog, ...Array.from({ length: 5 }, (_, index) => row({ created_at: OLD + index })));
  const clock = new ManualClock(NOW);
  const pruner = new LogPruner({ catalog, clock, days: DAYS, batchRows: 2 });
  const look = pruner.look();
  while (clock.pending === 0) await setImmediate();
  pruner.close();
  await look;
  assert.equal((await kept(catalog)).length, 4);
});
