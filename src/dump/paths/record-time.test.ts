import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConversionError } from '../../model/conversion-error.ts';
import { TIMESTAMP_FORMATS, type TimestampFormat } from '../settings/settings.ts';
import { recordTimeReader } from './record-time.ts';
import { timeZone } from './time-zone.ts';

const read = (format: TimestampFormat | undefined, value: unknown, zone = 'UTC') =>
  recordTimeReader({ field: 't', format }, timeZone(zone))({ t: value });

function refuses(format: TimestampFormat | undefined, value: unknown, reason = /^member t is /): void {
  assert.throws(
    () => read(format, value),
    (error) => error instanceof ConversionError && reason.test(error.message),
    String(value),
  );
}

test('every second of every calendar day comes back from each format', () => {
  const time = fc.integer({
    min: new Date('0001-01-01T00:00:00Z').getTime() / 1000,
    max: Date.UTC(9999, 11, 31) / 1000,
  });
  fc.assert(
    fc.property(fc.constantFrom(...TIMESTAMP_FORMATS), time, (format, seconds) => {
      const date = new Date(seconds * 1000);
      const [yyyy, MM, dd, HH, mm, ss] = date.toISOString().split(/[-T:.]/);
      const parts: Record<string, string | undefined> = { yyyy, MM, dd, HH, mm, ss };
      const text = format.replaceAll(/yyyy|MM|dd|HH|mm|ss/g, (part) => parts[part]!);
      assert.equal(read(format, text), date.getTime(), text);
    }),
  );
});

test('text is what the clock of the task shows', () => {
  const format = 'yyyy/MM/dd HH:mm:ss';
  assert.equal(read(format, '2026/11/23 08:00:00', 'Asia/Shanghai'), Date.UTC(2026, 10, 23));
  assert.equal(read(format, '2026/07/01 00:00:00', 'America/New_York'), Date.UTC(2026, 6, 1, 4));
  assert.equal(read(undefined, 1_700_000_000_000, 'Asia/Shanghai'), 1_700_000_000_000);
});

test('days and hours that no calendar has, and other forms, are no times', () => {
  for (const good of ['2024-02-29 23:59:59', '2000-02-29 00:00:00']) read('yyyy-MM-dd HH:mm:ss', good);
  for (const wrong of [
    '2023-02-29 00:00:00',
    '1900-02-29 00:00:00',
    '2026-04-31 00:00:00',
    '2026-00-10 00:00:00',
    '2026-13-10 00:00:00',
    '2026-01-00 00:00:00',
    '2026-01-32 00:00:00',
    '0000-01-01 00:00:00',
    '2026-01-01 24:00:00',
    '2026-01-01 00:60:00',
    '2026-01-01 00:00:60',
    '2026/01/01 00:00:00',
    '2026-01-01T00:00:00',
    '2026-1-01 00:00:00 ',
    '2026-01-01 00:00:0',
    '2026-01-01 00:00:00Z',
    ' 026-01-01 00:00:00',
    '+026-01-01 00:00:00',
    '２026-01-01 00:00:00',
    '',
    1_700_000_000_000,
    null,
    {},
    ['2026-01-01 00:00:00'],
  ]) {
    refuses('yyyy-MM-dd HH:mm:ss', wrong);
  }
  refuses('dd/MM/yyyy HH:mm:ss', '12/31/2026 00:00:00');
  refuses('MM/dd/yyyy HH:mm:ss', '31/12/2026 00:00:00');
});

test('timestamps have 13 digits, as numbers or as text', () => {
  for (const good of [1_000_000_000_000, 9_999_999_999_999]) {
    for (const form of [good, String(good)]) assert.equal(read(undefined, form), good);
  }
  for (const wrong of [
    999_999_999_999,
    10_000_000_000_000,
    1_700_000_000,
    1_700_000_000_000.5,
    Number.NaN,
    true,
    null,
  ]) {
    refuses(undefined, wrong);
  }
  for (const wrong of [
    '999999999999',
    '0999999999999',
    '10000000000000',
    '1.70000000000',
    '1700000000e3',
    ' 170000000000',
    '',
  ]) {
    refuses(undefined, wrong);
  }
});

test('the time may be a nested member; the reason tells which one is wrong and what it is', () => {
  const nested = recordTimeReader({ field: 'a.b', format: undefined }, timeZone('UTC'));
  assert.equal(nested({ a: { b: 1_700_000_000_000 } }), 1_700_000_000_000);
  const reason = (members: Record<string, unknown>) => {
    try {
      return nested(members);
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const lacking of [
    {},
    { a: null },
    { a: 'x' },
    { a: { c: 1 } },
    { 'a.b': 1_700_000_000_000 },
    { a: [{ b: 1 }] },
  ]) {
    assert.equal(reason(lacking), 'member a.b is missing, and must be a timestamp of 13 digits');
  }
  assert.match(String(reason({ a: { b: 'x'.repeat(1000) } })), /^member a\.b is "x{40}…", and must/);
  const inherited = recordTimeReader({ field: 'constructor', format: undefined }, timeZone('UTC'));
  assert.throws(() => inherited({}), /is missing/);
});
