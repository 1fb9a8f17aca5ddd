import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestKey } from './manifest-key.ts';

const plain = { prefix: 'files/', partitionFormat: 'yyyy/MM/dd/HH', pathTemplate: undefined, timeZone: 'UTC' } as const;
const name = { taskId: 'T', period: Date.UTC(2026, 10, 23, 10), number: 0 };

test('a manifest is named for its period, as fine as the directories', () => {
  assert.equal(manifestKey(plain, name), 'files/_manifests/T/2026/11/23/10.json');
  assert.equal(
    manifestKey({ ...plain, partitionFormat: 'yyyy/MM/dd/HH/mm' }, name),
    'files/_manifests/T/2026/11/23/10/00.json',
  );
  const year = { ...name, period: Date.UTC(2026, 0, 1) };
  assert.equal(manifestKey({ ...plain, partitionFormat: 'yyyy' }, year), 'files/_manifests/T/2026.json');
  const template = { ...plain, partitionFormat: '', pathTemplate: 'c={$.c}/{yyyy}-{MM}/{dd}' } as const;
  assert.equal(manifestKey(template, name), 'files/_manifests/T/2026/11/23.json');
  assert.equal(manifestKey({ ...plain, prefix: '' }, name), '_manifests/T/2026/11/23/10.json');
});

test('addenda stand beside it', () => {
  assert.equal(manifestKey(plain, { ...name, number: 2 }), 'files/_manifests/T/2026/11/23/10.2.json');
});

test("the time is what the task's clock shows", () => {
  assert.equal(manifestKey({ ...plain, timeZone: 'Asia/Shanghai' }, name), 'files/_manifests/T/2026/11/23/18.json');
});

test('two periods that look alike are told apart', () => {
  assert.equal(
    manifestKey(plain, { ...name, number: 1 }, true),
    `files/_manifests/T/2026/11/23/10-${name.period}.1.json`,
  );
});
