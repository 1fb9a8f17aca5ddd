import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestCatalog } from '../../../test/support/catalog.ts';
import { selectColumns, selectNewestColumns } from '../../catalog/dump-schemas.ts';
import type { Column, RowSchema } from '../../codec/rows/row-schema.ts';
import { learnColumns } from './learn-columns.ts';

const TASK = 'T'.repeat(19);
const NOW = 1_732_350_000_000;

function schemaOf(columns: Record<string, 'double' | 'string'>): RowSchema {
  const entries = Object.entries(columns);
  return { columns: entries.map(([name, kind]): Column => ({ name, type: { kind }, nullable: true })) };
}

test('revisions grow by what is new, and only then', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  const learn = (columns: Record<string, 'double' | 'string'>) =>
    db.transaction().execute((transaction) => learnColumns(transaction, TASK, JSON.stringify(schemaOf(columns)), NOW));
  const revision = async (number: number) => JSON.parse(await selectColumns(db, TASK, number)) as RowSchema;

  assert.equal(await selectNewestColumns(db, TASK), undefined);
  assert.equal(await learn({ a: 'double' }), 1);
  assert.equal(await learn({ a: 'double', b: 'string' }), 2);
  // Another partition, planned when only a was known, has found other things.
  assert.equal(await learn({ a: 'double', c: 'double', b: 'double' }), 3);
  assert.equal(await learn({ a: 'double', b: 'string' }), 3);
  assert.deepEqual(await revision(1), schemaOf({ a: 'double' }));
  assert.deepEqual(await revision(2), schemaOf({ a: 'double', b: 'string' }));
  assert.deepEqual(await revision(3), schemaOf({ a: 'double', b: 'string', c: 'double' }));
});

test('what is not committed is not learned, and a task knows nothing of another', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  const columns = JSON.stringify(schemaOf({ a: 'double' }));
  const failed = db.transaction().execute(async (transaction) => {
    assert.equal(await learnColumns(transaction, TASK, columns, NOW), 1);
    throw new Error('the commit fails');
  });
  await assert.rejects(failed, /the commit fails/);
  assert.equal(await selectNewestColumns(db, TASK), undefined);
  await db.transaction().execute((transaction) => learnColumns(transaction, TASK, columns, NOW));
  assert.equal(await selectNewestColumns(db, 'U'.repeat(19)), undefined);
});
