import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

test('a large buffer that was given back is used again, for sizes that it fits', () => {
  const pool = new BufferPool(1_000_000);
  const buffer = pool.take(70_000);
  assert.equal(buffer.length, 131_072);
  pool.give(buffer);
  assert.notEqual(pool.take(131_073), buffer);
  assert.equal(pool.take(100_000), buffer);
  assert.notEqual(pool.take(100_000), buffer, 'nobody else gets it meanwhile');
});

test('small buffers and what is over the capacity are not kept', () => {
  const pool = new BufferPool(131_072);
  const [first, second] = [pool.take(131_072), pool.take(131_072)];
  pool.give(first);
  pool.give(second);
  assert.equal(pool.take(131_072), first);
  assert.notEqual(pool.take(131_072), second);
  const small = pool.take(100);
  assert.equal(small.length, 100);
  pool.give(small);
  assert.notEqual(pool.take(100), small);
});
