import assert from 'node:assert/strict';
import test from 'node:test';
import type { KyselyPlugin } from 'kysely';
import { PROJECT } from '../../../test/support/dump-rig.ts';
import { byKey, openLog, OTHER_TASK, TASK } from '../../../test/support/log-rows.ts';
import { walkLog } from './walk-log.ts';

test('a walk meets every row once, and reads a page when it is asked for', async () => {
  await using catalog = await openLog(23);
  let statements = 0;
  const counter: KyselyPlugin = {
    transformQuery: ({ node }) => {
      statements += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const counted = { ...catalog, scanner: catalog.scanner.withPlugin(counter) };
  const request = { projectId: PROJECT, taskId: TASK, filter: {} };
  const { task, pages } = await walkLog({ catalog: counted }, request, 5);
  assert.equal(task.task_id, TASK);

  const all = await catalog.db.selectFrom('dump_log').selectAll().where('task_id', '=', TASK).execute();
  const met: number[] = [];
  for await (const page of pages) {
    met.push(...page.map(({ id }) => id));
    assert.equal(statements, Math.ceil(met.length / 5));
  }
  assert.deepEqual(
    met,
    all.sort(byKey('created_at')).map(({ id }) => id),
  );

  const walk = await walkLog({ catalog: counted }, request, 5);
  statements = 0;
  for await (const page of walk.pages) {
    assert.equal(page.length, 5);
    break;
  }
  assert.equal(statements, 1, 'whoever stops reading stops the walk');
});

test('the log of another project is none', async () => {
  await using catalog = await openLog(1);
  const request = { projectId: PROJECT, taskId: OTHER_TASK, filter: {} };
  await assert.rejects(walkLog({ catalog }, request), { kind: 'TaskNotFound' });
  await assert.rejects(walkLog({ catalog }, { ...request, taskId: 'x' }), { kind: 'InvalidRequest' });
});
