import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConversionError } from '../../model/conversion-error.ts';
import { splitCsvLine } from './csv-line.ts';

const lines: readonly (readonly [string, readonly (string | null)[]])[] = [
  ['', [null]],
  ['a', ['a']],
  ['a,b', ['a', 'b']],
  ['a,b\n', ['a', 'b']],
  ['a,b\r\n', ['a', 'b']],
  [',', [null, null]],
  ['"",', ['', null]],
  [' a , b ', [' a ', ' b ']],
  ['"a,b",c', ['a,b', 'c']],
  ['"a""b"', ['a"b']],
  ['""""', ['"']],
  ['"a\r\nb",c\r\n', ['a\r\nb', 'c']],
  ['"a"', ['a']],
  ['😀,"é"', ['😀', 'é']],
];
const broken: readonly (readonly [string, RegExp])[] = [
  ['a\nb', /more than one line/],
  ['a\n\n', /more than one line/],
  ['a\rb,"c"', /more than one line/],
  ['"a', /not closed/],
  ['"a""', /not closed/],
  ['"a"b', /follows a closing quote/],
  ['"a" ,b', /follows a closing quote/],
  ['a"b', /quote within a field/],
  ['a,b"', /quote within a field/],
];

test('lines of RFC 4180', () => {
  for (const [line, fields] of lines) assert.deepEqual(splitCsvLine(line, ','), fields, JSON.stringify(line));
});

test('what is no line of RFC 4180', () => {
  for (const [line, message] of broken) {
    assert.throws(
      () => splitCsvLine(line, ','),
      (error) => error instanceof ConversionError && message.test(error.message),
      JSON.stringify(line),
    );
  }
});

test('fields that were written are read, whatever they are and whatever is between them', () => {
  const field = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '|', '\t', '\n', '\r', '😀', ' ') }));
  fc.assert(
    fc.property(
      fc.array(field, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(',', ';', '|', '\t', '::'),
      fc.constantFrom('', '\n', '\r\n'),
      (fields, delimiter, end) => {
        const line = fields.map((text) => (text === null ? '' : `"${text.replaceAll('"', '""')}"`)).join(delimiter);
        assert.deepEqual(splitCsvLine(line + end, delimiter), fields);
      },
    ),
  );
});
