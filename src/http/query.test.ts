import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDomainError } from '../model/errors.ts';
import { integerParameter, parseQuery, textParameter } from './query.ts';

test('a query of the Java SDK: trailing ampersand, a name twice, unencoded values', () => {
  assert.deepEqual(
    { ...parseQuery('stream_name=a+b&stream_name=c&limit=5&flag&=x&') },
    {
      stream_name: 'a+b',
      limit: '5',
      flag: '',
    },
  );
});

test('percent escapes are decoded, broken ones are left alone', () => {
  assert.deepEqual({ ...parseQuery('a%20b=%E4%BD%A0&c=%zz') }, { 'a b': '你', c: '%zz' });
});

test('names of the object prototype are names like any other', () => {
  assert.equal(textParameter(parseQuery(''), 'constructor'), undefined);
  assert.equal(textParameter(parseQuery('__proto__=x'), '__proto__'), 'x');
});

test('whole numbers are taken on both edges and nothing else is', () => {
  const bounds = { min: 1, max: 100, fallback: 10 };
  assert.equal(integerParameter(parseQuery('limit=1'), 'limit', bounds), 1);
  assert.equal(integerParameter(parseQuery('limit=100'), 'limit', bounds), 100);
  assert.equal(integerParameter(parseQuery('limit='), 'limit', bounds), 10);
  assert.equal(integerParameter(parseQuery(''), 'limit', bounds), 10);
  for (const text of ['0', '101', '-1', '1.5', '1e1', 'ten', ' 1', '9999999999999999']) {
    assert.throws(
      () => integerParameter(parseQuery(`limit=${text}`), 'limit', bounds),
      (error) => isDomainError(error, 'InvalidRequest'),
      text,
    );
  }
});
