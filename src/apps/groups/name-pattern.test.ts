import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NamePattern, PatternError } from './name-pattern.ts';

const NAMES = ['', 'a', 'b', 'A', 'orders', 'orders-2', 'Orders_eu', 'logs', 'x1', 'a-b', '_', '-', '9'];

function found(pattern: string): string[] {
  const compiled = new NamePattern(pattern);
  return NAMES.filter((name) => compiled.matches(name));
}

test('a pattern matches whole names, as in Java', () => {
  assert.deepEqual(found('.*'), NAMES);
  assert.deepEqual(found('orders'), ['orders']);
  assert.deepEqual(found('orders.*'), ['orders', 'orders-2']);
  assert.deepEqual(found('(?:orders|logs)-?\\d*'), ['orders', 'orders-2', 'logs']);
  assert.deepEqual(found('[a-cx-z]\\d?'), ['a', 'b', 'x1']);
  assert.deepEqual(found('(?i)ORDERS(_EU)?'), ['orders', 'Orders_eu']);
  assert.deepEqual(found('\\Qa-b\\E'), ['a-b']);
  assert.deepEqual(found(''), ['']);
});

test('what means something else here, or nothing, is refused', () => {
  const wrong = [
    '(',
    'a)',
    '[a',
    '*',
    'a*+',
    'a{1001}',
    '(?=a)',
    '(?<!a)b',
    '(?>a)',
    '(a)\\1',
    '\\',
    '[a-z&&[^b]]',
    '[a[bc]]',
  ];
  for (const pattern of wrong) assert.throws(() => new NamePattern(pattern), PatternError, pattern);
});

test('patterns have at most 256 characters and come to at most 5000 steps', () => {
  assert.equal(new NamePattern('a'.repeat(256)).matches('a'.repeat(256)), true);
  assert.throws(() => new NamePattern('a'.repeat(257)), PatternError);
  assert.equal(new NamePattern('a{1000}'.repeat(4)).matches('a'), false);
  assert.throws(() => new NamePattern('a{1000}'.repeat(5)), PatternError);
});

test('patterns that bring other engines to their knees are answered', () => {
  const name = 'a'.repeat(64);
  for (const pattern of ['(a+)+b', '(a|a)*b', '(a|aa)+b', '(.*)*-', '((a*)*)*b', '(a?){64}a{64}b', '(.*a){20}b']) {
    assert.equal(new NamePattern(pattern).matches(name), false, pattern);
  }
  for (const pattern of ['((a{1000}){1000}){1000}', '(((){1000}){1000}){1000}', '((((.*){50}){50}){50}){50}']) {
    assert.throws(() => new NamePattern(pattern), PatternError, pattern);
  }
});
