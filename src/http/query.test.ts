import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDomainError } from '../model/errors.ts';
import { integer, oneOf, parseQuery, queryOf, requiredText, text } from './query.ts';

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

test('of repeated names the smallest value that is not empty wins, in any order', () => {
  for (const query of ['a=2&a=1&a=', 'a=&a=1&a=2', 'a=1&a=&a=2']) assert.equal(parseQuery(query)['a'], '1', query);
});

test('percent escapes are decoded, broken ones are left alone', () => {
  assert.deepEqual({ ...parseQuery('a%20b=%E4%BD%A0&c=%zz') }, { 'a b': '你', c: '%zz' });
});

test('names of the object prototype are names like any other', () => {
  const { read } = queryOf({ constructor: text('') });
  assert.equal(read(parseQuery('')).constructor, undefined);
  assert.equal(parseQuery('__proto__=x')['__proto__'], 'x');
});

test('whole numbers are taken on both edges and nothing else is', () => {
  const { read } = queryOf({ limit: integer({ min: 1, max: 100, fallback: 10 }, 'of a page') });
  const limit = (query: string) => read(parseQuery(query)).limit;
  assert.equal(limit('limit=1'), 1);
  assert.equal(limit('limit=100'), 100);
  assert.equal(limit('limit='), 10);
  assert.equal(limit(''), 10);
  for (const value of ['0', '101', '-1', '1.5', '1e1', 'ten', ' 1', '9999999999999999']) {
    assert.throws(
      () => limit(`limit=${value}`),
      (error) => isDomainError(error, 'InvalidRequest'),
      value,
    );
  }
});

test('one of a list, and text that must be there', () => {
  const { read } = queryOf({ type: oneOf(['A', 'B'], ''), name: requiredText('') });
  assert.deepEqual(read(parseQuery('type=B&name=x')), { type: 'B', name: 'x' });
  assert.deepEqual(read(parseQuery('name=x')), { type: undefined, name: 'x' });
  for (const query of ['type=b&name=x', 'type=A', 'type=A&name=']) {
    assert.throws(
      () => read(parseQuery(query)),
      (error) => isDomainError(error, 'InvalidRequest'),
      query,
    );
  }
});

test('read strictly: no other parameters, and none that is empty', () => {
  const { readStrictly } = queryOf({ name: text(''), type: text('') });
  assert.deepEqual(readStrictly(parseQuery('type=B&&name=x&')), { name: 'x', type: 'B' });
  assert.deepEqual(readStrictly(parseQuery('')), { name: undefined, type: undefined });
  for (const query of ['name=', 'name', 'name=x&typ=B', 'constructor=x', '__proto__=x', '%']) {
    assert.throws(
      () => readStrictly(parseQuery(query)),
      (error) => isDomainError(error, 'InvalidRequest'),
      query,
    );
  }
});
