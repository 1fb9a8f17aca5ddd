import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashKey, hashKeyBytes } from './key-hash.ts';

function reference(key: string): bigint {
  const digest = createHash('md5').update(key, 'utf8').digest();
  return digest.readBigUInt64BE(0) & 0x7fff_ffff_ffff_ffffn;
}

function actual(key: string): bigint {
  const hash = { high: 0, low: 0 };
  hashKey(key, hash);
  const bytes = Buffer.from(`<${key}>`);
  const same = { high: 0, low: 0 };
  hashKeyBytes(bytes, 1, bytes.length - 2, same);
  assert.deepEqual(same, hash);
  return (BigInt(hash.high) << 32n) | BigInt(hash.low);
}

test('the hash of a key is what MD5 says, for every kind of key', () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 70 });
  fc.assert(
    fc.property(fc.oneof(ascii, fc.string({ unit: 'binary', maxLength: 70 })), (key) =>
      assert.equal(actual(key), reference(key)),
    ),
  );
  for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65])
    assert.equal(actual('x'.repeat(length)), reference('x'.repeat(length)));
});
