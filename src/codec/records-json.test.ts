import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchOf } from '../../test/support/records.ts';
import { encodeGetAnswer, quote } from './records-json.ts';

const REF = { stream: 1, partition: 0 };
const record = fc.record(
  {
    data: fc.string({ unit: 'binary', maxLength: 40 }),
    key: fc.string({ unit: 'binary', maxLength: 40 }),
    timestamp: fc.nat(),
  },
  { requiredKeys: ['data'] },
);

test('every record comes back from the JSON of an answer, in a buffer that need not be clean', () => {
  fc.assert(
    fc.property(fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 4 }), (groups) => {
      let firstSequence = 7;
      const blocks = groups.map((records) => {
        const { count, frames } = batchOf(REF, records);
        const block = { firstSequence, count, time: 1_795_439_102_551, frames };
        firstSequence += count;
        return block;
      });
      const answer = encodeGetAnswer(blocks, 'next', 42, (size) => Buffer.alloc(size, '"'));
      assert.deepEqual(JSON.parse(answer.toString('latin1')), {
        records: groups.flat().map(({ data, key, timestamp }, index) => ({
          ...(key === undefined ? {} : { partition_key: Buffer.from(key).toString() }),
          sequence_number: String(7 + index),
          data: Buffer.from(data).toString('base64'),
          timestamp: timestamp ?? 1_795_439_102_551,
          timestamp_type: 'CreateTime',
        })),
        next_partition_cursor: 'next',
        millis_behind_latest: 42,
      });
    }),
  );
});

test('a quoted text is ASCII and means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.match(quote(text), /^[\x20-\x7e]*$/);
      assert.equal(JSON.parse(quote(text)), text);
    }),
  );
});
