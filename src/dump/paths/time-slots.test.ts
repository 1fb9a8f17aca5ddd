import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { timeDirectories } from './time-directories.ts';
import { TIME_PARTS, TimeSlots } from './time-slots.ts';
import { instantOf, timeZone, zoneName } from './time-zone.ts';

const HOUR = 3_600_000;
/** Whole, half and quarter hours; clocks put forward at midnight, and to midnight; half an hour of summer; a day left out. */
const ZONES = [
  'UTC',
  '+08:00',
  'Asia/Shanghai',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'America/Nuuk',
  'Africa/Casablanca',
  'Asia/Tehran',
];

const slots = (depth: number, zone: string) =>
  new TimeSlots(depth, timeZone(zone), (parts, period) => ({ parts, period }));
const berlin = (format: 'yyyy/MM/dd' | 'yyyy/MM/dd/HH' | 'yyyy/MM/dd/HH/mm', iso: string) => {
  const { path, period } = timeDirectories(format, timeZone('Europe/Berlin')).at(Date.parse(iso));
  return [path, ...[period!.start, period!.end].map((time) => new Date(time).toISOString().replace(':00.000Z', ''))];
};

/** What the clock shows, asked of the runtime another way. */
const formats = new Map<string, Intl.DateTimeFormat>();
function shown(zone: string, time: number): string[] {
  if (!formats.has(zone)) {
    const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    formats.set(zone, new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...parts }));
  }
  const parts = formats.get(zone)!.formatToParts(time);
  const part = (type: string) => parts.find((each) => each.type === type)!.value;
  return [part('year').padStart(4, '0'), part('month'), part('day'), part('hour'), part('minute')];
}

test('directories of a time in UTC and what they stand for', () => {
  const at = timeDirectories('yyyy/MM/dd/HH/mm', timeZone('UTC')).at(Date.UTC(2026, 0, 2, 3, 4, 59));
  const period = { start: Date.UTC(2026, 0, 2, 3, 4), end: Date.UTC(2026, 0, 2, 3, 5) };
  assert.deepEqual(at, { path: '2026/01/02/03/04', period });
  const month = timeDirectories('yyyy/MM', timeZone('UTC')).at(Date.UTC(2026, 11, 31));
  assert.deepEqual(month, { path: '2026/12', period: { start: Date.UTC(2026, 11), end: Date.UTC(2027, 0) } });
});

test('days of 23 and of 25 hours', () => {
  const [short, long] = ['2026-03-29T12:00Z', '2026-10-25T12:00Z'];
  assert.deepEqual(berlin('yyyy/MM/dd', short), ['2026/03/29', '2026-03-28T23:00', '2026-03-29T22:00']);
  assert.deepEqual(berlin('yyyy/MM/dd', long), ['2026/10/25', '2026-10-24T22:00', '2026-10-25T23:00']);
});

test('an hour that is left out, and one that comes twice: one directory, one period', () => {
  assert.deepEqual(berlin('yyyy/MM/dd/HH', '2026-03-29T00:59Z')[0], '2026/03/29/01');
  assert.deepEqual(berlin('yyyy/MM/dd/HH', '2026-03-29T01:00Z')[0], '2026/03/29/03');
  const twice = ['2026/10/25/02', '2026-10-25T00:00', '2026-10-25T02:00'];
  assert.deepEqual(berlin('yyyy/MM/dd/HH', '2026-10-25T00:30Z'), twice);
  assert.deepEqual(berlin('yyyy/MM/dd/HH', '2026-10-25T01:30Z'), twice);
  const minute = ['2026/10/25/02/30', '2026-10-25T00:30', '2026-10-25T01:31'];
  assert.deepEqual(berlin('yyyy/MM/dd/HH/mm', '2026-10-25T00:30Z'), minute);
  assert.deepEqual(berlin('yyyy/MM/dd/HH/mm', '2026-10-25T01:30Z'), minute);
  assert.deepEqual(berlin('yyyy/MM/dd/HH', '2026-10-25T02:00Z')[1], '2026-10-25T02:00');
});

test('a day that begins with an hour that is left out, and one that ends with it', () => {
  const day = (zone: string, iso: string) => {
    const { path, period } = timeDirectories('yyyy/MM/dd', timeZone(zone)).at(Date.parse(iso));
    return [path, ...[period!.start, period!.end].map((time) => new Date(time).toISOString().slice(0, 16))];
  };
  const first = ['2018/11/04', '2018-11-04T03:00', '2018-11-05T02:00'];
  assert.deepEqual(day('America/Sao_Paulo', '2018-11-04T12:00Z'), first);
  assert.deepEqual(day('America/Nuuk', '2025-03-29T12:00Z'), ['2025/03/29', '2025-03-29T02:00', '2025-03-30T01:00']);
});

test('text of a wall clock: the first of two hours, and an hour later where there is none', () => {
  const zone = timeZone('Europe/Berlin');
  const instant = (wall: string) => new Date(instantOf(zone, Date.parse(`${wall}Z`))).toISOString();
  assert.equal(instant('2026-10-25T02:30:00'), '2026-10-25T00:30:00.000Z');
  assert.equal(instant('2026-10-25T03:00:00'), '2026-10-25T02:00:00.000Z');
  assert.equal(instant('2026-03-29T02:30:00'), '2026-03-29T01:30:00.000Z');
  assert.equal(instant('2026-03-29T03:00:00'), '2026-03-29T01:00:00.000Z');
});

test('offsets with seconds, of times before there were zones', () => {
  assert.equal(timeZone('Asia/Shanghai').offset(Date.UTC(1890, 0)), (8 * 3600 + 5 * 60 + 43) * 1000);
  assert.equal(timeZone('America/New_York').offset(Date.UTC(1880, 0)), -(4 * 3600 + 56 * 60 + 2) * 1000);
});

test('names of zones', () => {
  assert.equal(zoneName('asia/shanghai'), 'Asia/Shanghai');
  assert.equal(zoneName('UTC'), 'UTC');
  for (const wrong of ['', 'Mars/Base', 'UTC+8', 'Asia/Shanghai ', '../etc']) assert.equal(zoneName(wrong), undefined);
});

/** Instants near which a clock changes, and others. */
const instant = fc.oneof(
  fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 0) }),
  fc.constantFrom(
    ...['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-03-08T07:00Z', '2026-11-01T06:00Z', '2011-12-30T10:00Z'].map(
      Date.parse,
    ),
    ...[
      '2018-11-04T03:00Z',
      '2019-02-17T02:00Z',
      '2026-04-04T15:00Z',
      '2026-10-03T15:30Z',
      '2006-10-29T02:31Z',
      '2025-03-30T01:00Z',
    ].map(Date.parse),
  ),
);

test('what every clock shows is the directory, and its period is from the first such instant to the last', () => {
  const near = fc.integer({ min: -30 * HOUR, max: 30 * HOUR });
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), instant, near, fc.integer({ min: 1, max: 5 }), (zone, about, by, depth) => {
      const time = about + by;
      const label = (at: number) => shown(zone, at).slice(0, depth).join('/');
      const { parts, period } = slots(depth, zone).at(time);
      assert.equal(parts.join('/'), label(time));
      assert.ok(period.start <= time && time < period.end, 'the time is in its period');
      assert.equal(label(period.start), label(time));
      assert.equal(label(period.end - 1), label(time));
      for (let away = 0; away <= 26; away += 1) {
        for (const minutes of away < 3 ? [0, 10, 30, 45, 59] : [0]) {
          const ms = (away * 60 + minutes) * 60_000;
          assert.notEqual(label(period.start - 1 - ms), label(time));
          assert.notEqual(label(period.end + ms), label(time));
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a wall time is the first instant that shows it, in every zone', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), instant, fc.integer({ min: -30, max: 30 }), (zone, about, hours) => {
      const rules = timeZone(zone);
      const time = about + hours * HOUR;
      const found = instantOf(rules, time + rules.offset(time));
      assert.deepEqual(shown(zone, found), shown(zone, time));
      assert.ok(found === time || (found < time && time - found <= 24 * HOUR));
    }),
  );
});

test('as many parts as asked for, with leading zeros', () => {
  const { parts } = slots(5, 'UTC').at(new Date('0007-02-03T04:05:06Z').getTime());
  assert.deepEqual(parts, ['0007', '02', '03', '04', '05']);
  assert.equal(parts.length, TIME_PARTS.length);
});
