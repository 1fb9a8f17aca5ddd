import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FileRow } from '../../catalog/dump-merges.ts';
import { DEFAULTS, type DumpSettings } from '../settings/settings.ts';
import { MAX_INPUTS, folderOf, groupFiles } from './merge-groups.ts';

const text = { ...DEFAULTS, delimiter: '\n' } as DumpSettings;
const schema = { dataType: 'JSON', dataSchema: 'a', csvDelimiter: ',' } as const;

function file(bytes: number, more: Partial<FileRow> = {}): FileRow {
  return { bytes, bucket: 'b', object_key: 'p/2026/f', task_version: 1, schema_revision: 0, ...more } as FileRow;
}

const sizes = (groups: readonly (readonly FileRow[])[]) => groups.map((group) => group.map(({ bytes }) => bytes));

test('files become one until the target size is reached; a group may have exactly that', () => {
  const group = (...bytes: number[]) =>
    sizes(
      groupFiles(
        bytes.map((size) => file(size)),
        100,
        () => text,
      ),
    );
  assert.deepEqual(group(), []);
  assert.deepEqual(group(10), []);
  assert.deepEqual(group(60, 40), [[60, 40]]);
  assert.deepEqual(group(60, 41), []);
  assert.deepEqual(group(10, 20, 30, 40, 1, 2), [
    [10, 20, 30, 40],
    [1, 2],
  ]);
});

test('a file of the target size is left alone, whatever is around it', () => {
  const files = [file(10), file(100), file(20), file(99), file(1)];
  assert.deepEqual(sizes(groupFiles(files, 100, () => text)), [
    [10, 20],
    [99, 1],
  ]);
});

test('a merge has a limited number of inputs, however small they are', () => {
  const files = Array.from({ length: 2 * MAX_INPUTS + 5 }, () => file(0));
  const lengths = groupFiles(files, 100, () => text).map(({ length }) => length);
  assert.deepEqual(lengths, [MAX_INPUTS, MAX_INPUTS, 5]);
});

test('only files of one folder and one form become one', () => {
  const versions: Record<number, DumpSettings> = {
    1: text,
    2: { ...text, delimiter: ';' },
    3: { ...text, compression: 'gzip' },
    4: { ...text, fileType: 'csv', form: schema },
    5: { ...text, fileType: 'csv', form: schema, csvHeader: false },
    6: { ...text, fileType: 'csv', form: { ...schema, dataSchema: 'b' } },
    7: { ...text, fileType: 'csv', form: { ...schema, dataSchema: undefined } },
    8: { ...text, fileType: 'parquet', form: schema },
  };
  const others = [
    ...Object.keys(versions).map((version) => file(1, { task_version: Number(version) })),
    file(1, { bucket: 'c' }),
    file(1, { object_key: 'p/2027/f' }),
  ];
  const settingsOf = (version: number) => versions[version]!;
  assert.deepEqual(groupFiles(others, 100, settingsOf), []);
  const twice = others.flatMap((one) => [one, { ...one }]);
  assert.deepEqual(
    groupFiles(twice, 100, settingsOf),
    others.map((one) => [one, one]),
  );
});

test('what does not change the form of files does not keep them apart', () => {
  const settingsOf = (version: number) => ({ ...text, deliverSeconds: version, mergeMegabytes: version });
  const files = [file(1), file(1, { task_version: 2 }), file(1, { task_version: 2, schema_revision: 4 })];
  assert.equal(groupFiles(files, 100, settingsOf)[0]?.length, 3);
});

test('groups keep the order of files, have each at most once, and reach at most the target', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 130 }), version: fc.constantFrom(1, 2) })),
      (given) => {
        const files = given.map(({ bytes, version }, id) => file(bytes, { id, task_version: version }));
        const groups = groupFiles(files, 100, (version) => ({ ...text, delimiter: String(version) }));
        const ids = groups.flatMap((group) => group.map(({ id }) => id));
        assert.equal(new Set(ids).size, ids.length);
        for (const group of groups) {
          assert.ok(group.length > 1);
          assert.ok(group.reduce((sum, { bytes }) => sum + bytes, 0) <= 100);
          assert.deepEqual(
            group,
            group.toSorted((a, b) => a.id - b.id),
          );
          assert.equal(new Set(group.map(({ task_version }) => task_version)).size, 1);
        }
      },
    ),
  );
});

test('the folder of a key', () => {
  assert.equal(folderOf({ object_key: 'a/b/c' }), 'a/b');
  assert.equal(folderOf({ object_key: 'c' }), '');
});
