import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compressSync as lz4Compress } from 'lz4-napi';
import { compressSync as snappyCompress } from 'snappy';
import { isDomainError } from '../model/errors.ts';
import { COMPRESSIONS, decompress, type Compression } from './compression.ts';

/** Native modules that know nothing of ours; the LZ4 one puts the length before its block. */
const COMPRESS: Readonly<Record<Compression, (bytes: Buffer) => Buffer>> = {
  lz4: (bytes) => lz4Compress(bytes).subarray(4),
  snappy: (bytes) => snappyCompress(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
};

function restore(compression: Compression, bytes: Buffer, length: number | string, maxBytes = 10_000_000): Buffer {
  return decompress({ compression, bytes, declaredLength: String(length), maxBytes });
}

/** Bytes that repeat themselves near and far, and bytes that do not. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.record({ piece: fc.uint8Array({ minLength: 1, maxLength: 12 }), times: fc.nat(600) }),
    ),
    { maxLength: 12 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.map((part) =>
        'piece' in part ? Buffer.alloc(part.piece.length * part.times, part.piece) : Buffer.from(part),
      ),
    ),
  );

for (const compression of COMPRESSIONS) {
  test(`${compression}: what was compressed comes back`, () => {
    fc.assert(
      fc.property(content, (bytes) => {
        assert.ok(restore(compression, COMPRESS[compression](bytes), bytes.length).equals(bytes));
      }),
    );
    const megabytes = Buffer.concat(
      Array.from({ length: 40 }, (_, i) => Buffer.alloc(70_000 + i, `${i}${'abc'.repeat(i)}`)),
    );
    assert.ok(restore(compression, COMPRESS[compression](megabytes), megabytes.length).equals(megabytes));
  });

  test(`${compression}: bytes that were changed, cut or made up are decoded or refused`, () => {
    const change = fc.record({ at: fc.nat(), to: fc.nat(255) });
    const made = fc.record({ bytes: content, changes: fc.array(change, { maxLength: 4 }), cut: fc.nat(50) });
    fc.assert(
      fc.property(fc.oneof(made, fc.uint8Array({ maxLength: 200 })), fc.nat(2000), (input, length) => {
        const broken = 'bytes' in input ? damage(COMPRESS[compression](input.bytes), input) : Buffer.from(input);
        const declared = 'bytes' in input ? input.bytes.length : length;
        try {
          assert.equal(restore(compression, broken, declared, 20_000).length <= 20_000, true);
        } catch (error) {
          assert.ok(isDomainError(error, 'InvalidBody') || isDomainError(error, 'RequestTooLarge'), String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test(`${compression}: a body without its end, or with something behind it, is broken`, () => {
    const bytes = Buffer.from('{"stream_name":"s","records":[]}'.repeat(20));
    const compressed = COMPRESS[compression](bytes);
    for (let length = 0; length < compressed.length; length += 1) {
      assert.throws(
        () => restore(compression, compressed.subarray(0, length), bytes.length),
        /InvalidBody|Request error/,
      );
    }
    const longer = Buffer.concat([compressed, Buffer.from([0])]);
    assert.throws(() => restore(compression, longer, bytes.length), /\[body\]\[must be /);
  });

  test(`${compression}: exactly as much as is allowed may come out`, () => {
    const bytes = Buffer.alloc(5000, 'x');
    const compressed = COMPRESS[compression](bytes);
    assert.equal(restore(compression, compressed, 5000, 5000).length, 5000);
    assert.throws(() => restore(compression, compressed, 5000, 4999), { kind: 'RequestTooLarge' });
  });
}

for (const compression of ['lz4', 'zstd'] as const) {
  test(`${compression}: a length that is not true is refused`, () => {
    const bytes = Buffer.from('hello, hello, hello');
    const compressed = COMPRESS[compression](bytes);
    for (const length of [bytes.length - 1, bytes.length + 1, 0, 5_000_000]) {
      assert.throws(() => restore(compression, compressed, length), { kind: 'InvalidBody' });
    }
    for (const length of ['-1', 'x', '1e3', '9'.repeat(16), '1.5']) {
      assert.throws(() => restore(compression, compressed, length), /must be a whole number/);
    }
    assert.equal(restore(compression, compressed, ` ${bytes.length} `).length, bytes.length);
  });
}

test('lz4 blocks that reach out of their buffers, and their like that do not', () => {
  const whole = [0x10, 0x61, 1, 0, 0x10, 0x62];
  assert.equal(restore('lz4', Buffer.from(whole), 6).toString(), 'aaaaab');
  const long = [0xff, 5, ...Buffer.alloc(20, 'x'), 20, 0, 11, 0x10, 0x62];
  assert.equal(restore('lz4', Buffer.from(long), 51).toString(), `${'x'.repeat(50)}b`);
  const broken: [string, number[], number][] = [
    ['a copy from 0 bytes before', whole.with(2, 0), 6],
    ['a copy from before the beginning', whole.with(2, 2), 6],
    ['a long copy from before the beginning', long.with(22, 21), 51],
    ['a copy past the end', whole, 4],
    ['literals that are not there', [0x30, 0x61, 0x62], 3],
    ['many literals that are not there', [0xf0, 30, 0x61], 45],
    ['literals past the end', whole.slice(0, 2), 0],
    ['a length without end', [0xf0, 255], 300],
    ['a copy without its offset', [0x10, 0x61, 1], 6],
    ['a copy whose length has no end', [0x1f, 0x61, 1, 0, 255], 300],
    ['an end without literals', [0x10, 0x61, 1, 0], 5],
  ];
  for (const [what, bytes, length] of broken) {
    assert.throws(() => restore('lz4', Buffer.from(bytes), length), { kind: 'InvalidBody' }, what);
  }
});

test('snappy blocks that reach out of their buffers, and their like that do not', () => {
  const near = [5, 0, 0x61, 0x01, 1];
  const far = [5, 0, 0x61, (3 << 2) | 2, 1, 0];
  const farther = [5, 0, 0x61, (3 << 2) | 3, 1, 0, 0, 0];
  const long = [40, 19 << 2, ...Buffer.alloc(20, 'x'), (19 << 2) | 2, 20, 0];
  for (const bytes of [near, far, farther]) assert.equal(restore('snappy', Buffer.from(bytes), 0).toString(), 'aaaaa');
  assert.equal(restore('snappy', Buffer.from([...long, ...near.slice(1)].with(0, 45)), 0).length, 45);
  const broken: Record<string, number[]> = {
    'a near copy from 0 bytes before': near.with(4, 0),
    'a near copy from before the beginning': near.with(4, 2),
    'a copy from before the beginning': far.with(4, 2),
    'a copy from long before the beginning': farther.with(7, 0x80),
    'a long copy from before the beginning': long.with(23, 21),
    'a copy past the end': near.with(0, 4),
    'less than it says': near.with(0, 6),
    'literals that are not there': [3, 2 << 2, 0x61, 0x62],
    'literals past the end': [1, 1 << 2, 0x61, 0x62],
    'a length that is cut off': [70, 60 << 2],
    'a longest length that is cut off': [70, 63 << 2, 69, 0, 0],
    'more literals than anything has': [70, 63 << 2, 255, 255, 255, 255, 0x61],
    'a near copy that is cut off': near.slice(0, 4),
    'a copy that is cut off': far.slice(0, 5),
    'a far copy that is cut off': farther.slice(0, 7),
    'nothing at all': [],
  };
  for (const [what, bytes] of Object.entries(broken)) {
    assert.throws(() => restore('snappy', Buffer.from(bytes), 0), { kind: 'InvalidBody' }, what);
  }
});

test('lz4 needs the length told, zstd does not', () => {
  const bytes = Buffer.from('hello');
  for (const declaredLength of [undefined, '', ' ']) {
    const zstd = { compression: 'zstd', bytes: COMPRESS.zstd(bytes), declaredLength, maxBytes: 5 } as const;
    assert.deepEqual(decompress(zstd), bytes);
    assert.throws(() => decompress({ ...zstd, maxBytes: 4 }), { kind: 'RequestTooLarge' });
    assert.throws(
      () => decompress({ compression: 'lz4', bytes: COMPRESS.lz4(bytes), declaredLength, maxBytes: 5 }),
      /\[x-dis-lz4-content-length\]\[is missing\]/,
    );
  }
});

test('a snappy block that says more than it can hold takes no memory for it', () => {
  const head = [0xff, 0xff, 0xff, 0x7f];
  assert.throws(() => restore('snappy', Buffer.from([...head, 0]), 0, 2 ** 30), { kind: 'InvalidBody' });
  assert.throws(() => restore('snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0]), 0), { kind: 'InvalidBody' });
});

test('snappy copies that reach far, which its own compressor does not make', () => {
  const far = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
  // A literal of everything, its length in three bytes, then 4 bytes from 100,000 before.
  const block = Buffer.concat([
    Buffer.from([0xa4, 0x8d, 0x06, 62 << 2, 0x9f, 0x86, 0x01]),
    far,
    Buffer.from([(3 << 2) | 3, 0xa0, 0x86, 0x01, 0x00]),
  ]);
  assert.deepEqual(restore('snappy', block, 0), Buffer.concat([far, far.subarray(0, 4)]));
});

test('a zstd frame that wants a window larger than any body is refused', () => {
  // Magic number, no content size, a window of 2^28 bytes, an empty last block.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (28 - 10) << 3, 0x01, 0x00, 0x00]);
  assert.throws(() => restore('zstd', frame, 0), { kind: 'InvalidBody' });
  frame[5] = (20 - 10) << 3;
  assert.equal(restore('zstd', frame, 0).length, 0);
});

function damage(
  bytes: Buffer,
  { changes, cut }: { changes: readonly { at: number; to: number }[]; cut: number },
): Buffer {
  const copy = Buffer.from(bytes.subarray(0, Math.max(0, bytes.length - (cut > 40 ? cut - 40 : 0))));
  for (const { at, to } of changes) if (copy.length > 0) copy[at % copy.length] = to;
  return copy;
}
