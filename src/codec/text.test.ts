import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { batchOf, type PlainRecord } from '../../test/support/records.ts';
import { TextFileEncoder } from './text.ts';

function frames(records: readonly PlainRecord[]): Buffer {
  return batchOf({ stream: 1, partition: 0 }, records).frames;
}

const record: fc.Arbitrary<PlainRecord> = fc.record(
  {
    data: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
    key: fc.string({ maxLength: 9 }),
    timestamp: fc.nat(),
  },
  { requiredKeys: ['data'] },
);

test('a file is every payload followed by the delimiter, in full chunks and a rest', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(record, { maxLength: 12 }), { maxLength: 6 }),
      fc.constantFrom('', '\n', ';', '--'),
      fc.integer({ min: 1, max: 100 }),
      (blocks, delimiter, chunkBytes) => {
        const encoder = new TextFileEncoder(delimiter, chunkBytes);
        const full: Buffer[] = [];
        for (const block of blocks) {
          for (const chunk of encoder.encode(frames(block), block.length)) full.push(Buffer.from(chunk));
        }
        assert.ok(full.every((chunk) => chunk.length === chunkBytes));
        const rest = encoder.finish();
        assert.ok(rest.length < chunkBytes);
        const expected = blocks.flat().map(({ data }) => data + delimiter);
        assert.deepEqual(Buffer.concat([...full, rest]), Buffer.from(expected.join('')));
      },
    ),
  );
});

test('only the frames asked for are written', () => {
  const encoder = new TextFileEncoder(',');
  const records = ['a', 'b', 'c'].map((text) => ({ data: text, timestamp: 7 }));
  assert.deepEqual([...encoder.encode(frames(records), 2)], []);
  assert.equal(encoder.finish().toString(), 'a,b,');
});

test('a frame that is missing is an error, not a shorter file', () => {
  const encoder = new TextFileEncoder('\n');
  assert.throws(() => [...encoder.encode(frames([]), 1)], RangeError);
});
