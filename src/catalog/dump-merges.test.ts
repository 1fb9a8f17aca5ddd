import assert from 'node:assert/strict';
import test from 'node:test';
import { ONLY_SQLITE, openTestCatalog } from '../../test/support/catalog.ts';
import { queryPlans } from '../../test/support/query-plans.ts';
import { selectOpenMerges } from './dump-merges.ts';

test('planned merges are found among what is planned, not by walking the log', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const [plan] = await queryPlans(catalog.db, selectOpenMerges);
  assert.match(plan!, /^SCAN l USING INDEX dump_log_planned$/m);
});
