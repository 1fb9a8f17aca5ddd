import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hasLongNumber, parseExactJson } from './exact-json.ts';
import { ExactNumber } from './exact-number.ts';

const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{${min - 1},${max - 1}}$`));
/** As JSON writes numbers, short and long. */
const numbers = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), digits(1, 30)),
    fc.oneof(fc.constant(''), digits(1, 30)),
    fc.constantFrom('', 'e5', 'E-7', 'e+300'),
  )
  .map(([sign, whole, fraction, exponent]) => `${sign}${whole}${fraction && `.${fraction}`}${exponent}`);
const strings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify(text)),
  digits(14, 20).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\u0001"', '"\\u0001\\u000112345678901234567890"', '"a, 12345678901234567890"', '"\\\\"', '"\\""'),
);
const json: fc.Memo<string> = fc.memo((depth) => {
  const leaf = fc.oneof(numbers, strings, fc.constantFrom('null', 'true', '{}', '[]'));
  if (depth <= 1) return leaf;
  // Of names that come twice or hold escapes the reviver of JSON.parse does not always tell the source of the value.
  const names = fc.oneof(fc.stringMatching(/^[a-z0-9 ,]{0,20}$/), fc.constant('__proto__'));
  const members = fc.uniqueArray(fc.tuple(names, json()), { maxLength: 4, selector: ([name]) => name });
  return fc.oneof(
    leaf,
    fc.array(json(), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
    members.map((pairs) => `{${pairs.map(([name, value]) => `"${name}": ${value}`).join(',')}}`),
  );
});

/** What the reviver of JSON.parse makes of it: slow, and certain. */
function parseWithReviver(text: string): unknown {
  const reviver = (_name: string, value: unknown, context: { source?: string }) =>
    typeof value === 'number' && isLong(context.source!) ? new ExactNumber(context.source!) : value;
  return JSON.parse(text, reviver as (name: string, value: unknown) => unknown);
}

function isLong(number: string): boolean {
  return number.replace(/[eE].*/, '').replace(/[^0-9]/g, '').length > 15;
}

test('long numbers keep their digits and everything else is as JSON.parse has it', () => {
  fc.assert(
    fc.property(json(4), (text) => assert.deepEqual(parseExactJson(text), parseWithReviver(text))),
    { numRuns: 1000 },
  );
});

test('no number that a double would round is missed', () => {
  const around = fc.tuple(fc.string({ unit: fc.constantFrom(' ', ',', '[', '1', '.', 'a') }), numbers, fc.nat(40));
  fc.assert(
    fc.property(around, fc.boolean(), ([start, number, padding], fractions) => {
      const bytes = Buffer.from(`${'"'.repeat(padding)}${start}:${number}}`);
      const [whole = '', fraction = ''] = number.replace(/^-|[eE].*/g, '').split('.');
      const rounded = fractions
        ? whole.length + fraction.length > 15 && fraction !== ''
        : BigInt(whole) > BigInt(Number.MAX_SAFE_INTEGER) ||
          (whole.length + fraction.length > 15 && /e[^-]/.test(number));
      if (rounded) assert.ok(hasLongNumber(bytes, 0, bytes.length, fractions));
    }),
    { numRuns: 2000 },
  );
});

test('common long runs of digits do not cost a second look', () => {
  const cheap = [
    '{"micros":1732350000123456}',
    '{"id":"12345678901234567890"}',
    '{"price":0.30000000000000004}',
    '{"hash":"a1b2c3d4e5f60718293a4b5c6d7e8f90"}',
    '{"tiny":1.2345678901234567e-12}',
  ];
  for (const text of cheap) {
    const bytes = Buffer.from(text);
    assert.equal(hasLongNumber(bytes, 0, bytes.length, false), false, text);
  }
  const edges = {
    '8999999999999999': false,
    '9007199254740993': true,
    '10000000000000001': true,
    '9.007199254740993e15': true,
    '8999999999999999E3': true,
    '4503599627370496.25': true,
  };
  for (const [number, long] of Object.entries(edges)) {
    const bytes = Buffer.from(`{"n":${number}}`);
    assert.equal(hasLongNumber(bytes, 0, bytes.length, false), long, number);
  }
});

test('only the bytes of the record are looked at', () => {
  const bytes = Buffer.from('12345678901234567890{"a":1}12345678901234567890');
  assert.equal(hasLongNumber(bytes, 20, 27, true), false);
});

test('what is no JSON is told in terms of the text itself', () => {
  const texts = [
    '{"a":12345678901234567890,"b":x}',
    '{"a":01234567890123456}',
    '{"a":1234567890123456--1}',
    '{"a":1234567890123456.}',
    '{"a":12345678901234567890 12}',
    '{12345678901234567890 :1}',
    '-01234567890123456',
    '12345678901234567890e',
  ];
  const messageOf = (parse: () => unknown) => {
    try {
      return parse();
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const text of texts) {
    const message = messageOf(() => parseExactJson(text));
    assert.equal(typeof message, 'string', text);
    assert.equal(
      message,
      messageOf(() => JSON.parse(text)),
    );
  }
});

test('no text makes a long number dear', () => {
  // Each of these would take minutes if what stands before a number grew with the strings, or was looked for in steps.
  const long = '12345678901234567890';
  const starts = Array.from({ length: 2 ** 12 }, (_, number) =>
    number.toString(2).replace(/./g, (digit) => `\\u000${Number(digit) + 1}`),
  );
  const numbers = Array.from({ length: 20_000 }, () => long);
  for (const strings of [['\\u0001'.repeat(80_000)], starts, starts.map((start) => `\\u0001${start}x`)]) {
    const text = `[${[...strings.map((start) => `"${start}"`), ...numbers].join()}]`;
    const values = parseExactJson(text) as unknown[];
    assert.deepEqual(
      values.slice(0, strings.length),
      strings.map((start) => JSON.parse(`"${start}"`) as string),
    );
    for (const value of values.slice(strings.length)) assert.equal((value as ExactNumber).text, long);
  }
});

test('depth is no limit', () => {
  const text = `${'['.repeat(100_000)}12345678901234567890${']'.repeat(100_000)}`;
  let value = parseExactJson(text);
  while (Array.isArray(value)) value = value[0];
  assert.equal(String(value), '12345678901234567890');
});
