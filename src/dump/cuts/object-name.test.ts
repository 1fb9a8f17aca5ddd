import assert from 'node:assert/strict';
import test from 'node:test';
import { baseName, deadLetterKey, fileName, objectKey } from './object-name.ts';
import { fixedPlace } from '../paths/path-finder.ts';
import { PARTITION_FORMATS } from '../settings/settings.ts';

const TIME = Date.UTC(2026, 0, 2, 3, 4, 59);
const BASE = baseName({ taskId: 'T'.repeat(19), streamName: 'orders', partition: 7, time: TIME });

test('the file of a plain task has the name that DIS gives it', () => {
  assert.equal(BASE, `${'T'.repeat(19)}.orders.7.${TIME}`);
  assert.equal(fileName(BASE, { fileType: 'text', compression: 'none' }), BASE);
});

test('further files of a cut are numbered, and the extension tells the form', () => {
  const name = (fileType: 'text' | 'csv' | 'parquet', compression: 'none' | 'gzip' | 'zstd' | 'snappy', index = 0) =>
    fileName(BASE, { fileType, compression }, index).slice(BASE.length);
  assert.equal(name('text', 'none', 1), '-1');
  assert.equal(name('text', 'gzip'), '.gz');
  assert.equal(name('text', 'zstd', 12), '-12.zst');
  assert.equal(name('csv', 'none'), '.csv');
  assert.equal(name('csv', 'gzip'), '.csv.gz');
  assert.equal(name('parquet', 'snappy', 3), '-3.parquet');
});

test('object keys are prefix, directories and file name', () => {
  const folders = ['', '2026/', '2026/01/', '2026/01/02/', '2026/01/02/03/', '2026/01/02/03/04/'];
  for (const [index, partitionFormat] of PARTITION_FORMATS.entries()) {
    const settings = { partitionFormat, timeZone: 'UTC', recordTime: undefined, pathTemplate: undefined };
    const { path } = fixedPlace(settings, TIME)!;
    assert.equal(objectKey('', path, BASE), folders[index]! + BASE);
    assert.equal(objectKey('a/b', path, BASE), `a/b/${folders[index]}${BASE}`);
    assert.equal(objectKey('a/b/', path, BASE), `a/b/${folders[index]}${BASE}`);
  }
  assert.equal(deadLetterKey('a/b/', BASE), `a/b/_dead_letters/${BASE}.jsonl`);
});
