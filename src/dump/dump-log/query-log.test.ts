import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CompiledQuery, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { ONLY_SQLITE } from '../../../test/support/catalog.ts';
import { LIMITS, PROJECT } from '../../../test/support/dump-rig.ts';
import { byKey, openLog, OTHER_TASK as OTHER, TASK } from '../../../test/support/log-rows.ts';
import { LOG_SORT_COLUMNS, selectLogPage } from '../../catalog/dump-log-pages.ts';
import type { Database } from '../../catalog/schema.ts';
import { isDomainError } from '../../model/errors.ts';
import { parseLogRequest, type LogRequest } from './log-request.ts';
import { queryLog } from './query-log.ts';

const DEFAULT: LogRequest = {
  column: 'created_at',
  descending: true,
  pageIndex: 1,
  pageSize: 10,
  filter: undefined,
};

test('every page of every order is the slice of the whole list, ties by the order of making', async () => {
  await using catalog = await openLog(53);
  const all = await catalog.db.selectFrom('dump_log').selectAll().where('task_id', '=', TASK).execute();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...LOG_SORT_COLUMNS),
      fc.boolean(),
      fc.integer({ min: 1, max: 60 }),
      async (column, descending, pageSize) => {
        const sorted = all.toSorted(byKey(column)).map(({ id }) => id);
        if (descending) sorted.reverse();
        const pages: number[] = [];
        for (let pageIndex = 1; pageIndex <= Math.ceil(53 / pageSize) + 1; pageIndex += 1) {
          const page = await queryLog({ catalog }, PROJECT, TASK, {
            column,
            descending,
            pageIndex,
            pageSize,
            filter: undefined,
          });
          assert.equal(page.total, 53);
          pages.push(...page.rows.map(({ id }) => id));
        }
        assert.deepEqual(pages, sorted);
      },
    ),
    { numRuns: 60 },
  );
});

test('a page is the same from either end of the index', async () => {
  await using catalog = await openLog(20);
  for (const column of LOG_SORT_COLUMNS) {
    for (const descending of [false, true]) {
      for (const offset of [0, 6, 13, 18]) {
        const page = { taskId: TASK, column, descending, offset, size: 7 };
        const front = await selectLogPage(catalog.reader, { ...page, by: 'start' });
        assert.deepEqual(await selectLogPage(catalog.reader, { ...page, by: 'end' }), front);
      }
    }
  }
});

test('a page that the log has become too short for meanwhile is empty', async () => {
  await using catalog = await openLog(20);
  for (const descending of [false, true]) {
    for (const by of ['start', 'end', 'ranks'] as const) {
      const page = { taskId: TASK, column: 'bytes', descending, offset: 30, size: 7, by } as const;
      assert.deepEqual(await selectLogPage(catalog.reader, page), [], by);
    }
  }
});

test('the rows of a page are found by the index alone, without sorting the log', ONLY_SQLITE, async () => {
  await using catalog = await openLog(1);
  const statements: CompiledQuery[] = [];
  const recorder = new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    log: ({ query }) => void statements.push(query),
  });
  for (const column of LOG_SORT_COLUMNS) {
    for (const by of ['start', 'end', 'ranks'] as const) {
      await selectLogPage(recorder, { taskId: TASK, column, descending: true, offset: 50, size: 10, by });
      const { sql, parameters } = statements.at(-1)!;
      const plan = await catalog.reader.executeQuery<{ detail: string }>(
        CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
      );
      const details = plan.rows.map(({ detail }) => detail);
      const scans = details.filter((detail) => detail.includes(`USING COVERING INDEX dump_log_${column} `));
      // With separators those from a value's first row on and those of larger values.
      assert.equal(scans.length, by === 'ranks' ? 2 : 1, details.join('\n'));
      // Sorts are of separators, and of the ten rows of the page: the statement's last step.
      if (by === 'ranks') continue;
      const sorts = details.filter((detail) => detail.includes('TEMP B-TREE'));
      assert.ok(sorts.length <= 1 && (sorts.length === 0 || details.at(-1) === sorts[0]), details.join('\n'));
    }
  }
});

test('a page beyond the end is empty, however far', async () => {
  await using catalog = await openLog(20);
  const request: LogRequest = { ...DEFAULT, column: 'bytes', pageIndex: 3 };
  for (const pageIndex of [3, Number.MAX_SAFE_INTEGER]) {
    const page = await queryLog({ catalog }, PROJECT, TASK, { ...request, pageIndex, pageSize: 1000 });
    assert.deepEqual([page.total, page.rows], [20, []]);
  }
});

test('an empty log has an empty first page', async () => {
  await using catalog = await openLog(0);
  const page = await queryLog({ catalog }, PROJECT, TASK, parseLogRequest(undefined, LIMITS));
  assert.deepEqual([page.total, page.rows], [0, []]);
});

test('a task of another project is as unknown as one that does not exist; an id has its form', async () => {
  await using catalog = await openLog(1);
  const request = parseLogRequest({}, LIMITS);
  await assert.rejects(queryLog({ catalog }, PROJECT, OTHER, request), { kind: 'TaskNotFound' });
  await assert.rejects(queryLog({ catalog }, PROJECT, 'B'.repeat(19), request), { kind: 'TaskNotFound' });
  for (const id of ['', 'A'.repeat(18), 'A'.repeat(20), `${'A'.repeat(18)}-`]) {
    await assert.rejects(queryLog({ catalog }, PROJECT, id, request), { kind: 'InvalidRequest' });
  }
});

test('a query that says nothing has the defaults, one that says something keeps the others', () => {
  for (const body of [undefined, {}, { pageInfo: {} }, { pageInfo: [] }, { unknown: 1 }]) {
    assert.deepEqual(parseLogRequest(body, LIMITS), DEFAULT);
  }
  assert.deepEqual(parseLogRequest({ order: 'asc', sortBy: 'dataSize' }, LIMITS), {
    ...DEFAULT,
    column: 'bytes',
    descending: false,
  });
});

test('pageInfo is an object or the array of the published example', () => {
  const page = (pageInfo: unknown) => {
    const { pageIndex, pageSize } = parseLogRequest({ pageInfo }, LIMITS);
    return [pageIndex, pageSize];
  };
  assert.deepEqual(page({ pageIndex: 3, pageTotal: 25 }), [3, 25]);
  assert.deepEqual(page({ pageIndex: 3 }), [3, 10]);
  assert.deepEqual(page({ pageTotal: 1000 }), [1, 1000]);
  assert.deepEqual(page([{ pageIndex: 2 }, { pageIndex: 20 }]), [2, 20]);
  assert.deepEqual(page([{ pageIndex: 2 }, { pageTotal: 20 }]), [2, 20]);
  assert.deepEqual(page([{ pageIndex: 2, pageTotal: 20 }]), [2, 20]);
  assert.deepEqual(page([{ pageIndex: Number.MAX_SAFE_INTEGER }]), [Number.MAX_SAFE_INTEGER, 10]);
});

test('values out of the lists and of the wrong type are refused', () => {
  const refused: unknown[] = [null, [], 'x', 1];
  for (const order of ['DESC', '', null, 1]) refused.push({ order });
  for (const sortBy of ['created_at', 'toString', '', null, 1]) refused.push({ sortBy });
  for (const bad of [0, -1, 1.5, 2 ** 53, '1', null, true]) {
    refused.push({ pageInfo: { pageIndex: bad } }, { pageInfo: { pageTotal: bad } });
    refused.push({ pageInfo: [{ pageIndex: 1 }, { pageIndex: bad }] });
  }
  refused.push({ pageInfo: { pageTotal: LIMITS.log_page_rows + 1 } }, { pageInfo: null }, { pageInfo: 'x' });
  refused.push({ pageInfo: [1] }, { pageInfo: [[]] });
  for (const body of refused) {
    assert.throws(
      () => parseLogRequest(body, LIMITS),
      (error) => isDomainError(error, 'InvalidBody'),
      JSON.stringify(body),
    );
  }
});
