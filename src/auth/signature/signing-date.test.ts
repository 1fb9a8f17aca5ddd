import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDomainError, type ErrorName } from '../../model/errors.ts';
import { checkSigningDate, MAX_SKEW_MS } from './signing-date.ts';

const DATE = '20260102T030405Z';
const TIME = Date.UTC(2026, 0, 2, 3, 4, 5);

const refused = (kind: ErrorName, header: string | undefined, now = TIME) =>
  assert.throws(
    () => checkSigningDate(header, now),
    (error) => isDomainError(error, kind),
    header,
  );

test('a quarter of an hour either way is good, a millisecond more is not', () => {
  assert.equal(MAX_SKEW_MS, 900_000);
  for (const now of [TIME, TIME - MAX_SKEW_MS, TIME + MAX_SKEW_MS]) assert.equal(checkSigningDate(DATE, now), DATE);
  refused('SignatureDateInvalid', DATE, TIME - MAX_SKEW_MS - 1);
  refused('SignatureDateInvalid', DATE, TIME + MAX_SKEW_MS + 1);
});

test('what is no time is told from what is none at all', () => {
  for (const none of [undefined, '']) refused('SignatureDateMissing', none);
  for (const wrong of [
    'now',
    '2026-01-02T03:04:05Z',
    '20260102T030405',
    '20260102t030405z',
    '20260102T030405Z, 20260102T030405Z',
    '20260132T030405Z',
    '20260229T030405Z',
    '20261302T030405Z',
    '20260102T240000Z',
    '20260102T036005Z',
    '20260102T030460Z',
    `${DATE}\n`,
  ]) {
    refused('SignatureDateUnreadable', wrong);
  }
});
