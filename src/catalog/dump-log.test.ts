import assert from 'node:assert/strict';
import test from 'node:test';
import { ONLY_SQLITE, openTestCatalog } from '../../test/support/catalog.ts';
import { queryPlans } from '../../test/support/query-plans.ts';
import { selectDeadLetters, selectFailures, selectOpenPlans, type DumpLogRow } from './dump-log.ts';
import { countDeadLetters, selectDeadRows, selectRedrivenTasks } from './dump-redrives.ts';

test('what is planned is found by the index of what is planned, of one task and of all', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  for (const taskIds of [undefined, ['task']]) {
    const [plan] = await queryPlans(catalog.db, (db) => selectOpenPlans(db, taskIds));
    assert.match(plan!, /^(SCAN|SEARCH) l USING INDEX dump_log_planned/m);
  }
  const [redriven] = await queryPlans(catalog.db, selectRedrivenTasks);
  assert.match(redriven!, /^SCAN l USING INDEX dump_log_planned$/m);
});

test('dead letters are counted and found by the index of those that nobody has taken', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const [sum] = await queryPlans(catalog.db, (db) => selectDeadLetters(db, 'task'));
  // A statement that is only explained gives no row, and a sum without a row is an error.
  const [count] = await queryPlans(catalog.db, (db) => countDeadLetters(db, 'task').catch(() => undefined));
  for (const plan of [sum, count]) assert.match(plan!, /^SEARCH l USING INDEX dump_log_dead /m);
  const [page] = await queryPlans(catalog.db, (db) => selectDeadRows(db, 'task', 100, 10));
  assert.match(page!, /^SEARCH l USING INDEX dump_log_dead /m);
});

test('the first failure of a plan is found among the failures of its moment', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const failed = { task_id: 'task', created_at: 1, partition: 0, kind: 'delivery' } as DumpLogRow;
  for (const plan of await queryPlans(catalog.db, (db) => selectFailures(db, failed))) {
    assert.match(plan, /^SEARCH dump_log USING .*INDEX dump_log_(partition|created_at) \(task_id=.* AND created_at=/m);
  }
});
