import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { byKey, openLog, SMALL_RANKS, TASK } from '../../test/support/log-rows.ts';
import { testRounds, testSeed } from '../../test/support/seed.ts';
import { RankKeeper } from '../dump/dump-log/rank-keeper.ts';
import { countFiltered, selectFilteredAfter, selectFilteredPage, type LogFilter } from './dump-log-filters.ts';
import type { DumpLogRow } from './dump-log.ts';
import { LOG_SORT_COLUMNS } from './dump-log-pages.ts';
import { LOG_KINDS } from './schema.ts';

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const TIME = fc.integer({ min: 0, max: 5 });

const STATES = fc.subarray([0, 1, 2], { minLength: 1 });
const MANY: fc.Arbitrary<LogFilter> = fc.record({
  states: optional(STATES),
  kinds: optional(fc.subarray([...LOG_KINDS], { minLength: 1 })),
  partition: optional(fc.integer({ min: 0, max: 4 })),
  from: optional(TIME),
  to: optional(TIME),
  fileName: optional(
    fc.record({ text: fc.constantFrom(TASK, `${TASK}.1`, `${TASK}.12`, `${TASK}.9`), prefix: fc.boolean() }),
  ),
  deadLetters: optional(fc.boolean()),
});

const FILTER = fc.oneof(MANY, fc.record({ states: STATES }), fc.record({ from: optional(TIME), to: optional(TIME) }));

/** What a filter says, in so many words. */
function fits({ states, kinds, partition, from, to, fileName, deadLetters }: LogFilter, row: DumpLogRow): boolean {
  if (states !== undefined && !states.includes(row.state)) return false;
  if (kinds !== undefined && !kinds.some((kind) => kind === row.kind)) return false;
  if (partition !== undefined && row.partition !== partition) return false;
  if (from !== undefined && row.created_at < from) return false;
  if (to !== undefined && row.created_at >= to) return false;
  if (fileName?.prefix === true && !row.file_name.startsWith(fileName.text)) return false;
  if (fileName?.prefix === false && row.file_name !== fileName.text) return false;
  return deadLetters === undefined || row.dead_letters > 0 === deadLetters;
}

for (const ranked of [false, true]) {
  test(`counts, pages and walks of every filter are those of the whole list, ${ranked ? 'with' : 'without'} separators`, async () => {
    await using catalog = await openLog(120);
    if (ranked) await new RankKeeper(catalog, SMALL_RANKS).look();
    const all = await catalog.db.selectFrom('dump_log').selectAll().where('task_id', '=', TASK).execute();
    const found = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        FILTER,
        fc.constantFrom(...LOG_SORT_COLUMNS),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        fc.nat({ max: 60 }),
        async (filter, column, descending, size, offset) => {
          const log = { taskId: TASK, filter };
          const fitting = all.filter((row) => fits(filter, row));
          found.add(fitting.length);
          assert.equal(await countFiltered(catalog.reader, log), fitting.length);

          const sorted = fitting.toSorted(byKey(column));
          if (descending) sorted.reverse();
          const page = await selectFilteredPage(catalog.reader, { ...log, column, descending, offset, size });
          assert.deepEqual(page, sorted.slice(offset, offset + size));

          const walked: DumpLogRow[] = [];
          for (;;) {
            const rows = await selectFilteredAfter(catalog.reader, log, walked.at(-1), size);
            walked.push(...rows);
            if (rows.length < size) break;
          }
          assert.deepEqual(walked, fitting.toSorted(byKey('created_at')));
        },
      ),
      { numRuns: testRounds('SLUICE_TEST_RUNS', 200), seed: testSeed() },
    );
    assert.ok(found.size > 10, 'filters leave nothing, some and all');
  });
}
