import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { base64Bytes, decodeBase64 } from './base64.ts';

function decode(text: string): string | undefined {
  const target = Buffer.alloc(Math.max(base64Bytes(text), 0) + 16, 0xaa);
  const written = decodeBase64(text, target, 8);
  return written < 0 ? undefined : target.toString('hex', 8, 8 + written);
}

test('every encoding of every payload comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
      const bytes = Buffer.from(payload);
      const padded = bytes.toString('base64');
      const hex = bytes.toString('hex');
      assert.equal(base64Bytes(padded), bytes.length);
      assert.equal(decode(padded), hex);
      assert.equal(decode(padded.replace(/=+$/, '')), hex);
      assert.equal(decode(bytes.toString('base64url')), hex);
      assert.equal(decode(padded.replace(/.{76}/g, '$&\r\n')), hex);
    }),
  );
});

test('what is not Base64 is refused', () => {
  for (const text of ['a', 'abcde', 'ab!d', 'Zm9v?mFy', 'Zm9v=mFy', '====', 'Zg==Zg==', 'äöü'])
    assert.equal(decode(text), undefined, text);
  assert.equal(decode(''), '');
});

test('room behind the payload is left alone', () => {
  const target = Buffer.alloc(12, 0xaa);
  assert.equal(decodeBase64('Zm9v', target, 2), 3);
  assert.equal(target.toString('hex'), 'aaaa666f6faaaaaaaaaaaaaa');
});
