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
        : BigInt(whole) > BigInt(Number.MAX_SAFE_INTEGER);
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
  ];
  for (const text of cheap) {
    const bytes = Buffer.from(text);
    assert.equal(hasLongNumber(bytes, 0, bytes.length, false), false, text);
  }
  const edges = { '8999999999999999': false, '9007199254740993': true, '10000000000000001': true };
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
  const text = '{"a":12345678901234567890,"b":x}';
  const messageOf = (parse: () => unknown) => {
    try {
      return parse() as string;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(
    messageOf(() => parseExactJson(text)),
    messageOf(() => JSON.parse(text)),
  );
});

test('depth is no limit', () => {
  const text = `${'['.repeat(100_000)}12345678901234567890${']'.repeat(100_000)}`;
  let value = parseExactJson(text);
  while (Array.isArray(value)) value = value[0];
  assert.equal(String(value), '12345678901234567890');
});
