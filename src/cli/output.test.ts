import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printFields, printRows } from './output.ts';

test('rows stand in columns, with nothing behind the last one', () => {
  const rows = [
    { name: 'a', size: 10, first: true },
    { name: 'longer', size: 7, first: false },
  ];
  const columns = ['name', 'size', 'first'];
  assert.equal(printRows(columns, rows), 'NAME    SIZE  FIRST\na       10    yes\nlonger  7\n');
  assert.equal(printRows(columns, []), 'NAME  SIZE  FIRST\n');
  assert.deepEqual(JSON.parse(printRows(columns, rows, true)), rows);
});

test('fields without a value are left out', () => {
  const fields = { name: 'a', password: undefined, access_key: 'k' };
  assert.equal(printFields(fields), 'name        a\naccess_key  k\n');
  assert.deepEqual(JSON.parse(printFields(fields, true)), { name: 'a', access_key: 'k' });
});
