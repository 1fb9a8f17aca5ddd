import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { byKey, logRow, openLog, SMALL_RANKS, TASK } from '../../../test/support/log-rows.ts';
import { testRounds, testSeed } from '../../../test/support/seed.ts';
import type { TestCatalog } from '../../../test/support/catalog.ts';
import { insertPlans } from '../../catalog/dump-log.ts';
import { LOG_SORT_COLUMNS, selectLogPage } from '../../catalog/dump-log-pages.ts';
import { RANK_LEVEL } from '../../catalog/dump-log-ranks.ts';
import { addLogRows } from '../../catalog/dump-tasks.ts';
import { RankKeeper } from './rank-keeper.ts';

const COLUMNS = fc.constantFrom('end_time', 'state', 'records', 'read_records', 'bytes', 'created_at' as const);
const VALUE = fc.integer({ min: 0, max: 6 });
const STEP = fc.oneof(
  { arbitrary: fc.record({ insert: fc.array(VALUE, { minLength: 1, maxLength: 12 }) }), weight: 3 },
  { arbitrary: fc.record({ update: fc.nat(), column: COLUMNS, to: VALUE }), weight: 6 },
  { arbitrary: fc.record({ delete: fc.array(fc.nat(), { minLength: 1, maxLength: 10 }) }), weight: 2 },
  { arbitrary: fc.constant({ prune: true }), weight: 1 },
  { arbitrary: fc.constant({ look: true }), weight: 3 },
);

test('whatever happens to a log, pages by its separators are the slices of the whole list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 40 }), fc.nat(), async (steps, pick) => {
      await using catalog = await openLog(12);
      const keeper = new RankKeeper(catalog, SMALL_RANKS);
      await keeper.look();
      for (const step of steps) {
        if ('look' in step) await keeper.look();
        else await change(catalog, step);
        await checkCounts(catalog);
      }
      await keeper.look();
      await checkCounts(catalog);
      await checkPages(catalog, pick);
    }),
    { numRuns: testRounds('SLUICE_TEST_RUNS', 8), seed: testSeed() },
  );
});

type Change = Exclude<typeof STEP extends fc.Arbitrary<infer S> ? S : never, { look: boolean }>;

async function change({ db }: TestCatalog, step: Change): Promise<void> {
  const ids = (await db.selectFrom('dump_log').select('id').where('task_id', '=', TASK).orderBy('id').execute()).map(
    ({ id }) => id,
  );
  if ('insert' in step) {
    let at = 0;
    const values = () => step.insert[at++ % step.insert.length]! % 4;
    const rows = step.insert.map((_, index) => ({
      ...logRow(TASK, index, values),
      file_name: `${ids.at(-1) ?? 0}.${index}`,
    }));
    await insertPlans(db, rows);
    await addLogRows(db, TASK, rows.length);
  } else if ('update' in step) {
    if (ids.length === 0) return;
    const id = ids[step.update % ids.length]!;
    await db
      .updateTable('dump_log')
      .set({ [step.column]: step.to })
      .where('id', '=', id)
      .execute();
  } else {
    const half = ids.slice(0, Math.floor(ids.length / 2));
    const gone = 'prune' in step ? half : [...new Set(step.delete.map((number) => ids[number % ids.length]))];
    const doomed = gone.filter((id) => id !== undefined);
    if (doomed.length === 0) return;
    await db.deleteFrom('dump_log').where('id', 'in', doomed).execute();
    await addLogRows(db, TASK, -doomed.length);
  }
}

/** Every separator counts exactly the rows from its key on and before the next one. */
async function checkCounts({ db }: TestCatalog): Promise<void> {
  const log = await db.selectFrom('dump_log').selectAll().where('task_id', '=', TASK).execute();
  const ranks = await db.selectFrom('dump_log_ranks').selectAll().where('task_id', '=', TASK).execute();
  for (const sort of LOG_SORT_COLUMNS) {
    const leaves = ranks.filter((rank) => rank.sort === sort && rank.level === RANK_LEVEL.leaf);
    for (const level of Object.values(RANK_LEVEL)) {
      const separators = ranks
        .filter((rank) => rank.sort === sort && rank.level === level)
        .sort((a, b) => a.value - b.value || a.id - b.id);
      assert.ok(separators.length > 0, 'there are separators');
      for (const [index, { value, id, rows }] of separators.entries()) {
        const next = separators[index + 1];
        const between = log.filter(
          (row) =>
            (row[sort] > value || (row[sort] === value && row.id >= id)) &&
            (next === undefined || row[sort] < next.value || (row[sort] === next.value && row.id < next.id)),
        );
        assert.equal(rows, between.length, `${sort} ${level} from ${value} ${id}`);
        assert.ok(
          leaves.some((leaf) => leaf.value === value && leaf.id === id),
          'a group begins where a leaf does',
        );
      }
    }
  }
}

async function checkPages(catalog: TestCatalog, pick: number): Promise<void> {
  const log = await catalog.db.selectFrom('dump_log').selectAll().where('task_id', '=', TASK).execute();
  for (const column of LOG_SORT_COLUMNS) {
    for (const descending of [false, true]) {
      const sorted = log.toSorted(byKey(column)).map(({ id }) => id);
      if (descending) sorted.reverse();
      const offsets = [0, 1, pick % (log.length + 1), Math.floor(log.length / 2), log.length - 1, log.length + 3];
      for (const offset of offsets.filter((number) => number >= 0)) {
        const size = 1 + (pick % 9);
        const page = await selectLogPage(catalog.reader, {
          taskId: TASK,
          column,
          descending,
          offset,
          size,
          by: 'ranks',
        });
        assert.deepEqual(
          page.map(({ id }) => id),
          sorted.slice(offset, offset + size),
          `${column} ${descending} ${offset}`,
        );
        for (const { total } of page) assert.equal(total, log.length);
      }
    }
  }
}

test('a long log gets separators of the right size on both levels, and loses them with its rows', async () => {
  await using catalog = await openLog(120);
  const keeper = new RankKeeper(catalog, SMALL_RANKS);
  const separators = async (level: number) =>
    (
      await catalog.db
        .selectFrom('dump_log_ranks')
        .selectAll()
        .where('sort', '=', 'bytes')
        .where('level', '=', level)
        .where('task_id', '=', TASK)
        .execute()
    ).map(({ rows }) => rows);
  await keeper.look();
  for (const [level, { target, max }] of [
    [RANK_LEVEL.leaf, SMALL_RANKS.leaf],
    [RANK_LEVEL.group, SMALL_RANKS.group],
  ] as const) {
    const rows = await separators(level);
    assert.ok(rows.length >= 120 / max && rows.length <= 120 / target, `${rows.length}`);
    assert.ok(Math.max(...rows) <= max);
  }
  await catalog.db.deleteFrom('dump_log').execute();
  // A group that goes leaves a leaf that can go after it.
  for (let look = 0; look < 20; look += 1) await keeper.look();
  assert.deepEqual([await separators(RANK_LEVEL.leaf), await separators(RANK_LEVEL.group)], [[0], [0]]);
});

test('a log that is not longer than the threshold has no separators', async () => {
  for (const [rows, ranked] of [
    [5, false],
    [6, true],
  ] as const) {
    await using catalog = await openLog(rows);
    await new RankKeeper(catalog, SMALL_RANKS).look();
    const found = await catalog.db.selectFrom('dump_log_ranks').select('id').execute();
    assert.equal(found.length > 0, ranked, `${rows} rows`);
  }
});

test('a keeper that is closed begins nothing', async () => {
  await using catalog = await openLog(50);
  const keeper = new RankKeeper(catalog, SMALL_RANKS);
  keeper.close();
  await keeper.look();
  assert.deepEqual(await catalog.db.selectFrom('dump_log_ranks').select('id').execute(), []);
});
