import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isDomainError } from '../model/errors.ts';
import { systemRandom as random } from '../platform/random.ts';
import { Passwords } from './passwords.ts';

const CHEAP = { N: 16, r: 1, p: 1 };
const passwords = new Passwords({ random, cost: CHEAP });

test('a password opens its own hash and no other', () =>
  fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (password, other) => {
      const stored = await passwords.hash(password);
      assert.equal(await passwords.verify(password, stored), true);
      fc.pre(other.normalize('NFKC') !== password.normalize('NFKC'));
      assert.equal(await passwords.verify(other, stored), false);
    }),
    { numRuns: 30 },
  ));

test('a hash names its cost and has a salt of its own', async () => {
  const [first, second] = [await passwords.hash('secret'), await passwords.hash('secret')];
  assert.match(first, /^scrypt\$16\$1\$1\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
  assert.notEqual(first, second);
});

test('the default cost works, and its hashes open under another default', async () => {
  const stored = await new Passwords({ random }).hash('secret');
  assert.match(stored, /^scrypt\$16384\$8\$5\$/);
  assert.equal(await passwords.verify('secret', stored), true);
});

test('no user and a hash that cannot be read are refused after the same work', async () => {
  for (const stored of [undefined, '', 'scrypt$16$1$1$AAAA$AAAA', 'bcrypt$whatever']) {
    let admitted = 0;
    assert.equal(await passwords.verify('', stored, () => void admitted++), false);
    assert.equal(admitted, 1, 'the hash is derived all the same');
  }
});

test('two hashes at a time, the others in order, and only so many waiting', async () => {
  const started: number[] = [];
  const all = Array.from({ length: 67 }, (_, i) => passwords.verify('x', undefined, () => void started.push(i)));
  assert.deepEqual(started, [0, 1]);
  await assert.rejects(all[66]!, (error) => isDomainError(error, 'TooManyRequests'));
  await Promise.all(all.slice(0, 66));
  assert.deepEqual(
    started,
    Array.from({ length: 66 }, (_, i) => i),
  );
  assert.equal(await passwords.verify('x', await passwords.hash('x')), true);
});

test('a refusal at the turn gives the place to the next', async () => {
  const refuse = () => {
    throw new RangeError('no');
  };
  const all = Array.from({ length: 5 }, () => passwords.verify('x', undefined, refuse));
  for (const one of all) await assert.rejects(one, RangeError);
  assert.equal(await passwords.verify('x', await passwords.hash('x')), true);
});
