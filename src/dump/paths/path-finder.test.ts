import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ExactNumber } from '../../codec/rows/exact-number.ts';
import { ConversionError } from '../../model/conversion-error.ts';
import type { RecordTimeSource } from '../settings/settings.ts';
import { fixedPlace, pathFinder, type RecordFacts } from './path-finder.ts';
import { MAX_VALUE_CHARACTERS, NULL_VALUE, pathValue } from './path-value.ts';

const ARRIVED = Date.UTC(2026, 10, 23, 10, 59, 59, 999);
const facts = (members: Record<string, unknown>, more: Partial<RecordFacts> = {}): RecordFacts => ({
  members,
  arrivedAt: ARRIVED,
  key: undefined,
  partition: 7,
  ...more,
});
const finder = (pathTemplate: string, more: { recordTime?: RecordTimeSource; timeZone?: string } = {}) =>
  pathFinder({ partitionFormat: '', recordTime: undefined, timeZone: 'UTC', ...more, pathTemplate });
const path = (template: string, record: RecordFacts) => finder(template).find(record).path;
const hurts = (template: string, members: Record<string, unknown>, reason: RegExp) =>
  assert.throws(
    () => path(template, facts(members)),
    (error) => error instanceof ConversionError && reason.test(error.message),
  );

test('the place of a whole cut is the time of its plan in the zone of the task', () => {
  const settings = {
    partitionFormat: 'yyyy/MM/dd/HH',
    timeZone: 'UTC',
    recordTime: undefined,
    pathTemplate: undefined,
  } as const;
  const hour = Date.UTC(2026, 10, 23, 10);
  assert.deepEqual(fixedPlace(settings, ARRIVED), {
    path: '2026/11/23/10',
    period: { start: hour, end: hour + 3_600_000 },
  });
  assert.equal(fixedPlace({ ...settings, timeZone: 'Asia/Shanghai' }, ARRIVED)?.path, '2026/11/23/18');
  assert.deepEqual(fixedPlace({ ...settings, partitionFormat: '' }, ARRIVED), { path: '', period: undefined });
  assert.equal(fixedPlace({ ...settings, recordTime: { field: 't', format: undefined } }, ARRIVED), undefined);
  assert.equal(fixedPlace({ ...settings, pathTemplate: 'a' }, ARRIVED), undefined);
});

test('directories by the own time of the record', () => {
  const recordTime = { field: 'at', format: 'dd-MM-yyyy HH:mm:ss' } as const;
  const own = pathFinder({
    partitionFormat: 'yyyy/MM/dd',
    recordTime,
    timeZone: 'Europe/Berlin',
    pathTemplate: undefined,
  });
  const place = own.find(facts({ at: '31-12-2025 23:59:59' }));
  assert.deepEqual(place, {
    path: '2025/12/31',
    period: { start: Date.UTC(2025, 11, 30, 23), end: Date.UTC(2025, 11, 31, 23) },
  });
  assert.equal(own.find(facts({ at: '31-12-2025 00:00:00' })), place, 'the place of a day is made once');
  assert.throws(() => own.find(facts({ at: 'yesterday' })), ConversionError);
  assert.ok(own.readsMembers);
});

test('templates of members, key, partition and time', () => {
  const record = facts(
    { address: { country: 'CN' }, n: 1.5, yes: true, big: new ExactNumber('12345678901234567890') },
    { key: 'k 1' },
  );
  const whole = 'country={$.address.country}/dt={yyyy}-{MM}-{dd}/hour={HH}';
  assert.equal(path(whole, record), 'country=CN/dt=2026-11-23/hour=10');
  const hour = Date.UTC(2026, 10, 23, 10);
  assert.deepEqual(finder(whole).find(record).period, { start: hour, end: hour + 3_600_000 });
  assert.equal(path('{key}/p{partition}/{yyyy}{MM}', record), 'k%201/p7/202611');
  assert.equal(path('n={$.n}/y={$.yes}/b={$.big}', record), 'n=1.5/y=true/b=12345678901234567890');
  assert.equal(finder('n={$.n}').find(record).period, undefined);
  assert.equal(path('a/b-c=1', record), 'a/b-c=1');
});

test('the time is the own one where there is one, and else the arrival, in the zone of the task', () => {
  const recordTime = { field: 't', format: undefined };
  const at = { t: Date.UTC(2025, 0, 1) };
  assert.equal(finder('{yyyy}', { recordTime }).find(facts(at)).path, '2025');
  assert.equal(finder('{yyyy}{MM}', { recordTime, timeZone: 'America/New_York' }).find(facts(at)).path, '202412');
  assert.equal(finder('{yyyy}', {}).find(facts(at)).path, '2026');
});

test('only what the path needs is read', () => {
  assert.equal(finder('{key}/{yyyy}').readsMembers, false);
  assert.equal(finder('{$.a}').readsMembers, true);
  assert.equal(finder('{yyyy}', { recordTime: { field: 't', format: undefined } }).readsMembers, true);
});

test('nothing, null and empty text are the null of Hive, and its name is something else', () => {
  for (const members of [{}, { a: null }, { a: '' }, { b: 1 }])
    assert.equal(path('a={$.a}', facts(members)), `a=${NULL_VALUE}`);
  assert.equal(path('{key}', facts({})), NULL_VALUE);
  assert.equal(path('{key}', facts({}, { key: '' })), NULL_VALUE);
  assert.equal(path('a={$.a}', facts({ a: NULL_VALUE })), 'a=%5F_HIVE_DEFAULT_PARTITION__');
});

test('what cannot name a directory hurts its record, with the member and the value', () => {
  hurts('{$.a.b}', { a: { b: {} } }, /^member a\.b is an object, and must be text, a number or a boolean$/);
  hurts('{$.a}', { a: [1] }, /^member a is an array/);
  hurts('{$.a}', { a: Infinity }, /^member a is a number too large/);
  hurts('{$.a}', { a: '\ud800x' }, /^member a is .* no Unicode text$/);
  assert.equal(path('{$.a}', facts({ a: 'x'.repeat(MAX_VALUE_CHARACTERS) })).length, MAX_VALUE_CHARACTERS);
  hurts('{$.a}', { a: 'x'.repeat(MAX_VALUE_CHARACTERS + 1) }, /^member a is "x{40}…", too long for a path$/);
  assert.equal(path('{$.a}', facts({ a: 'é'.repeat(33) })).length, 198);
  hurts('{$.a}', { a: 'é'.repeat(34) }, /too long/);
  assert.equal(path('{$.a}/{$.a}/{$.a}/{$.b}', facts({ a: 'x'.repeat(199), b: 'x'.repeat(200) })).length, 800);
  hurts('{$.a}/{$.a}/{$.a}/{$.b}/x', { a: 'x'.repeat(199), b: 'x'.repeat(200) }, /^the path has 802 characters/);
});

test('a record that was refused leaves nothing behind for the next one', () => {
  const find = finder('{$.a}/{$.b}');
  assert.equal(find.find(facts({ a: 'x', b: 'y' })).path, 'x/y');
  assert.throws(() => find.find(facts({ a: 'z', b: {} })));
  assert.equal(find.find(facts({ a: 'z', b: 'y' })).path, 'z/y');
  assert.throws(() => find.find(facts({ a: 'z', b: [] })));
  assert.throws(() => find.find(facts({ a: 'z', b: [] })));
  assert.equal(find.find(facts({ a: 'x', b: 'y' })).path, 'x/y');
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('_', '.', '/', '%', '2', 'F', '5', ' ', '=', '\u0000', '\\', '~', 'é', '😀'),
    maxLength: 12,
  }),
  fc.constantFrom(
    '.',
    '..',
    '../..',
    '_dead_letters',
    '_manifests',
    NULL_VALUE,
    '%2F',
    '%',
    'CON',
    'a/../b',
    '\ud83d\ude00',
  ),
);

test('a value is one directory of its own, whatever it is, and can be read back', () => {
  fc.assert(
    fc.property(
      text.filter((value) => value !== ''),
      (value) => {
        const name = pathValue(value, 'x');
        assert.match(name, /^(?:[A-Za-z0-9-]|%[0-9A-F]{2})(?:[A-Za-z0-9_.-]|%[0-9A-F]{2})*$/);
        assert.equal(decodeURIComponent(name), value);
      },
    ),
    { numRuns: 500 },
  );
});

test('two records go to the same directories only if they say the same', () => {
  const find = finder('a={$.a}/{$.b}-{yyyy}/{key}');
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text, text), { minLength: 2, maxLength: 8 }), (records) => {
      const seen = new Map<string, string>();
      for (const [a, b, key] of records) {
        const place = find.find(facts({ a, b }, { key }));
        const said = JSON.stringify([a, b, key]);
        assert.equal(place.path.split('/').length, 3);
        assert.equal(seen.get(place.path) ?? said, said);
        seen.set(place.path, said);
      }
    }),
    { numRuns: 500 },
  );
});
