/** Each statement of a walk finds its rows by the index that was made for it: none looks at the whole log for a page. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { CompiledQuery, type Kysely, type KyselyPlugin, type RootOperationNode } from 'kysely';
import { openLog, TASK } from '../../test/support/log-rows.ts';
import { ONLY_SQLITE, type TestCatalog } from '../../test/support/catalog.ts';
import {
  selectDeadLettersOfPlans,
  selectLiveObjects,
  selectManifestsOfObjects,
  selectMergeSums,
  selectRedriveSums,
  selectRowsByCut,
  selectRowsOfObjects,
} from './dump-log-walk.ts';
import type { Database } from './schema.ts';

/** How SQLite goes about the statement that `run` makes, a step a line. */
async function planOf(catalog: TestCatalog, run: (db: Kysely<Database>) => Promise<unknown>): Promise<string> {
  const asked: RootOperationNode[] = [];
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      asked.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  await run(catalog.reader.withPlugin(plugin));
  const executor = catalog.reader.getExecutor();
  const { sql, parameters } = executor.compileQuery(asked[0]!, { queryId: 'plan' });
  const { rows } = await catalog.reader.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
  );
  return rows.map(({ detail }) => detail).join('\n');
}

test('each statement takes the index that was made for it', ONLY_SQLITE, async () => {
  await using catalog = await openLog(10);
  const plan = (run: (db: Kysely<Database>) => Promise<unknown>) => planOf(catalog, run);
  const byObject = await plan((db) => selectRowsOfObjects(db, TASK, 'b', ['a', 'b', 'c']));
  assert.equal(byObject, 'SEARCH dump_log USING INDEX dump_log_object (task_id=? AND bucket=? AND object_key=?)');
  const byCut = await plan((db) => selectRowsByCut(db, TASK, { created_at: 1, id: 2 }, 10));
  assert.match(byCut, /^SEARCH dump_log USING INDEX dump_log_created_at \(task_id=\? AND created_at>\?\)$/);
  const live = await plan((db) => selectLiveObjects(db, TASK, 3, 10));
  assert.match(live, /^SEARCH dump_log USING INDEX dump_log_state \(task_id=\? AND state=\? AND id>\?\)$/);
  const dead = await plan((db) => selectDeadLettersOfPlans(db, TASK, [1, 2]));
  assert.match(dead, /\(task_id=\? AND created_at=\?\)$/);
  const manifests = await plan((db) => selectManifestsOfObjects(db, TASK, 'b', ['a', 'b']));
  assert.match(manifests, /dump_manifests_key_of \(task_id=\? AND object_key=\?\)$/);
  assert.match(await plan((db) => selectMergeSums(db, [1, 2])), /dump_log_merge \(merge_id=\?\)$/);
  assert.match(await plan((db) => selectRedriveSums(db, [1, 2])), /\(task_id=\? AND created_at=\?\)$/);
});
