import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logHead, logLine, type ShownEntry } from './log-table.ts';
import { parseTime } from './time-argument.ts';

const ENTRY: ShownEntry = {
  state: 0,
  kind: 'delivery',
  endTime: Date.UTC(2026, 2, 1, 12, 30, 15),
  partitionId: 'shardId-0000000000',
  firstSequenceNumber: '5',
  lastSequenceNumber: '1004',
  transferRecordsNum: 1000,
  transferBytes: 1536,
  transferFileName: 'task.orders.0.1',
  path: '2026/03',
  cause: null,
  givenUp: false,
  deadLettersNum: 0,
  supersededTime: null,
};

test('an entry is a line under the heads of its columns', () => {
  assert.equal(
    logHead() + logLine(ENTRY, undefined),
    [
      'TIME (UTC)           STATE       PART  SEQUENCES             RECORDS     SIZE  FILE\n',
      '2026-03-01 12:30:15  delivered      0  5-1004                   1000   1.5 KB  2026/03/task.orders.0.1\n',
    ].join(''),
  );
});

test('states are told in words', () => {
  const stateOf = (more: Partial<ShownEntry>) =>
    logLine({ ...ENTRY, ...more }, undefined)
      .slice(21, 32)
      .trim();
  assert.deepEqual(
    [
      stateOf({ state: 1 }),
      stateOf({ state: 1, givenUp: true }),
      stateOf({ state: 2 }),
      stateOf({ kind: 'merge', state: 2 }),
      stateOf({ kind: 'merge' }),
      stateOf({ kind: 'redrive' }),
      stateOf({ kind: 'warning', state: 1 }),
      stateOf({ supersededTime: 1 }),
    ],
    ['failed', 'given up', 'planned', 'merging', 'merged', 'redriven', 'warning', 'superseded'],
  );
});

test('dead letters and causes follow the file, on one line that a terminal has room for', () => {
  const line = logLine({ ...ENTRY, path: '', deadLettersNum: 2, cause: 'not\n  reached' }, undefined);
  assert.match(line, / {2}task\.orders\.0\.1 {2}2 dead letters {2}not reached\n$/);
  const cut = logLine({ ...ENTRY, cause: 'x'.repeat(200) }, 100);
  assert.equal(cut.length, 101);
  assert.match(cut, /…\n$/);
  assert.equal(logLine(ENTRY, 200), logLine(ENTRY, undefined));
});

test('a merged file has no partition and no sequence of its own', () => {
  const line = logLine({ ...ENTRY, kind: 'merge', partitionId: null, lastSequenceNumber: '-1' }, undefined);
  assert.match(line, /^2026-03-01 12:30:15 {2}merged {30,40}1000 /);
});

test('sizes have a unit and few digits', () => {
  const sizeOf = (transferBytes: number) =>
    logLine({ ...ENTRY, transferBytes }, undefined)
      .slice(68, 77)
      .trim();
  const sizes = [0, 999, 1000, 1024, 10 * 1024, 102_400, 1023 * 1024, 2 ** 30, 2 ** 50];
  assert.deepEqual(sizes.map(sizeOf), [
    '0 B',
    '999 B',
    '0.98 KB',
    '1.0 KB',
    '10 KB',
    '100 KB',
    '1.0 MB',
    '1.0 GB',
    '1024 TB',
  ]);
});

test('times are ages, dates, times and milliseconds', () => {
  const now = Date.UTC(2026, 2, 2);
  assert.equal(parseTime('90s', now), now - 90_000);
  assert.equal(parseTime('15m', now), now - 900_000);
  assert.equal(parseTime('2h', now), now - 7_200_000);
  assert.equal(parseTime('3d', now), now - 3 * 86_400_000);
  assert.equal(parseTime('1w', now), now - 7 * 86_400_000);
  assert.equal(parseTime('999999999w', now), 0);
  assert.equal(parseTime('2026-03-01', now), Date.UTC(2026, 2, 1));
  assert.equal(parseTime('2026-03-01T12:00Z', now), Date.UTC(2026, 2, 1, 12));
  assert.equal(parseTime('2026-03-01T12:00+02:00', now), Date.UTC(2026, 2, 1, 10));
  assert.equal(parseTime('2026-03-01T12:00:30', now), Date.UTC(2026, 2, 1, 12, 0, 30));
  assert.equal(parseTime('2026-03-01 12:00:30.5', now), Date.UTC(2026, 2, 1, 12, 0, 30, 500));
  assert.equal(parseTime('1772323200000', now), 1772323200000);
  for (const wrong of [
    '',
    'yesterday',
    '2',
    '2y',
    '-2h',
    '2026',
    '2026-13-01',
    '2026-03-01T',
    '2026-03-01 noon',
    '1772323200',
  ]) {
    assert.throws(() => parseTime(wrong, now), /is no time/, wrong);
  }
});
