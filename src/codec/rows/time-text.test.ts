import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  END_DAY,
  FIRST_DAY,
  formatDate,
  formatTime,
  formatTimestamp,
  parseDate,
  parseTime,
  parseTimestamp,
} from './time-text.ts';

const DAY_MS = 86_400_000;

test('dates of the years 1 to 9999, and none that the calendar does not have', () => {
  assert.equal(parseDate('1970-01-01'), 0);
  assert.equal(parseDate('0001-01-01'), FIRST_DAY);
  assert.equal(parseDate('9999-12-31'), END_DAY - 1);
  assert.equal(parseDate('2024-02-29'), 19_782);
  assert.equal(parseDate('2000-02-29'), 11_016);
  const wrong = ['2023-02-29', '1900-02-29', '2024-04-31', '2024-13-01', '2024-00-01', '2024-01-00', '0000-01-01'];
  const unread = ['2024-1-1', '2024/01/01', '20240101', '2024-01-01 ', '10000-01-01', '-001-01-01', 'today', ''];
  for (const text of [...wrong, ...unread]) assert.equal(parseDate(text), undefined, text);
});

test('every day is the day that Date says it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST_DAY, max: END_DAY - 1 }), (day) => {
      const text = new Date(day * DAY_MS).toISOString().slice(0, 10);
      assert.equal(parseDate(text), day);
      assert.equal(formatDate(day), text);
    }),
    { numRuns: 1000 },
  );
});

test('times of the day', () => {
  assert.equal(parseTime('00:00', 'millis'), 0);
  assert.equal(parseTime('23:59:59.999', 'millis'), DAY_MS - 1);
  assert.equal(parseTime('23:59:59,999999', 'micros'), DAY_MS * 1000 - 1);
  assert.equal(parseTime('01:02:03', 'millis'), 3_723_000);
  assert.equal(parseTime('00:00:00.5', 'micros'), 500_000);
  // Digits beyond the unit are dropped.
  assert.equal(parseTime('00:00:00.0019999', 'millis'), 1);
  assert.equal(parseTime('00:00:00.000001999', 'micros'), 1);
  const wrong = ['24:00:00', '00:60:00', '00:00:60', '1:00', '00:00:00.', '00:00:00.1x', '00:00:', '000000', '00:00Z'];
  for (const text of wrong) assert.equal(parseTime(text, 'millis'), undefined, text);
});

test('timestamps with every spelling of an offset', () => {
  const moment = BigInt(Date.UTC(2026, 10, 23, 9, 8, 7, 123));
  const texts = [
    '2026-11-23T09:08:07.123Z',
    '2026-11-23T09:08:07.123z',
    '2026-11-23 09:08:07.123',
    '2026-11-23T09:08:07.123',
    '2026-11-23T17:08:07.123+08:00',
    '2026-11-23T17:08:07.123+0800',
    '2026-11-23T17:08:07.123+08',
    '2026-11-23T03:38:07.123-05:30',
    '2026-11-23T09:08:07.123999999Z',
  ];
  for (const text of texts) assert.equal(parseTimestamp(text, 'millis', true), moment, text);
  assert.equal(parseTimestamp('2026-11-23T09:08Z', 'millis', true), BigInt(Date.UTC(2026, 10, 23, 9, 8)));
  assert.equal(parseTimestamp('2026-11-23T09:08:07.123456789Z', 'micros', true), moment * 1000n + 456n);
  assert.equal(parseTimestamp('2026-11-23T09:08:07.123', 'millis', false), moment);
  assert.equal(parseTimestamp('1969-12-31T23:59:59.999999Z', 'micros', true), -1n);
  assert.equal(parseTimestamp('1969-12-31T23:59:59.999Z', 'millis', true), -1n);
});

test('what is no timestamp', () => {
  const wrong = [
    '2026-11-23',
    '2026-11-23T09',
    '2026-11-23T09Z',
    '2026-02-30T09:00Z',
    '2026-11-23T25:00Z',
    '2026-11-23T09:08:07+24:00',
    '2026-11-23T09:08:07+8',
    '2026-11-23T09:08:07+08:0',
    '2026-11-23T09:08:07Zx',
    '2026-11-23_09:08:07Z',
    '2026-11-23t09:08:07Z',
    '2026-11-23T09:08:07 Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '1763888887123',
    '',
  ];
  for (const text of wrong) assert.equal(parseTimestamp(text, 'millis', true), undefined, text);
  // A wall clock has no offset.
  assert.equal(parseTimestamp('2026-11-23T09:08:07Z', 'millis', false), undefined);
  assert.equal(parseTimestamp('2026-11-23T09:08:07+01:00', 'micros', false), undefined);
});

test('what was written is read again', () => {
  const unit = fc.constantFrom('millis' as const, 'micros' as const);
  const millis = fc.integer({ min: FIRST_DAY * DAY_MS, max: END_DAY * DAY_MS - 1 });
  fc.assert(
    fc.property(millis, fc.nat(999), unit, fc.boolean(), (ms, beyond, unit, utc) => {
      const time = unit === 'millis' ? BigInt(ms) : BigInt(ms) * 1000n + BigInt(beyond);
      const text = formatTimestamp(time, unit, utc);
      assert.equal(parseTimestamp(text, unit, utc), time);
      assert.equal(text.slice(0, 23), new Date(ms).toISOString().slice(0, 23));
      const ofDay = Number(((time % 86_400_000n) + 86_400_000n) % 86_400_000n);
      assert.equal(parseTime(formatTime(ofDay, unit), unit), ofDay);
    }),
    { numRuns: 1000 },
  );
});
