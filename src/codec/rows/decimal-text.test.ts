import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { formatDecimal, parseDecimal } from './decimal-text.ts';

test('a number of a scale, from every way to write it', () => {
  const texts = ['12.5', '12.50', '012.500000', '+12.5', '1.25e1', '125E-1', ' 12.5 ', '0.00125e4', '12500e-3'];
  for (const text of texts) assert.equal(parseDecimal(text, 10, 2), 1250n, text);
  assert.equal(parseDecimal('-0', 1, 0), 0n);
  assert.equal(parseDecimal('0e99999999999', 1, 0), 0n);
  assert.equal(parseDecimal('.5', 1, 1), 5n);
  assert.equal(parseDecimal('5.', 1, 0), 5n);
});

test('nothing is rounded', () => {
  assert.equal(parseDecimal('0.01', 3, 2), 1n);
  assert.equal(parseDecimal('0.001', 3, 2), undefined);
  assert.equal(parseDecimal('9.99', 3, 2), 999n);
  assert.equal(parseDecimal('10', 3, 2), undefined);
  assert.equal(parseDecimal('1e-99999999999999999999', 38, 38), undefined);
  assert.equal(parseDecimal('1e99999999999999999999', 38, 0), undefined);
});

test('what is no number', () => {
  for (const text of ['', ' ', '.', '-', 'e5', '1e', '1,5', '0x10', 'NaN', 'Infinity', '1 2', '--1', '1.2.3']) {
    assert.equal(parseDecimal(text, 38, 10), undefined, text);
  }
});

test('a text of a megabyte costs one look at each digit, whatever the digits are', () => {
  // Quadratic, one of these would take hours.
  const zeros = '0'.repeat(1_000_000);
  for (const text of [`1${zeros}1`, `1${zeros}1${zeros}`, `0.${zeros}1${zeros}1`, `${zeros}1${zeros}x`]) {
    assert.equal(parseDecimal(text, 38, 10), undefined);
  }
  assert.equal(parseDecimal(`${zeros}12.50${zeros}`, 4, 2), 1250n);
  assert.equal(parseDecimal(zeros, 1, 0), 0n);
});

test('a number that was written is read again, with all its digits', () => {
  const limit = 10n ** 38n - 1n;
  fc.assert(
    fc.property(fc.bigInt({ min: -limit, max: limit }), fc.nat(38), (unscaled, scale) => {
      const text = formatDecimal(unscaled, scale);
      assert.match(text, scale === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${scale}}$`));
      assert.equal(parseDecimal(text, 38, scale), unscaled);
    }),
  );
});
