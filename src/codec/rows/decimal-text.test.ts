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
