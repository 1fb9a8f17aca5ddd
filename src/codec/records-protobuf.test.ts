import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeGetResult, decodePutResult } from '../../test/support/protobuf.ts';
import { batchOf } from '../../test/support/records.ts';
import { makeStream } from '../../test/support/streams.ts';
import { DomainError } from '../model/errors.ts';
import { encodeProtobufGetAnswer, encodeProtobufPutAnswer } from './records-protobuf.ts';

const sequence = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 100 }));
const record = fc.record(
  {
    data: fc.string({ unit: 'binary', maxLength: 300 }),
    key: fc.string({ unit: 'binary', maxLength: 300 }),
    timestamp: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  },
  { requiredKeys: ['data'] },
);

test('every record of an answer comes back, from a buffer that need not be clean', () => {
  const groups = fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { maxLength: 4 });
  fc.assert(
    fc.property(groups, sequence, (groups, first) => {
      let firstSequence = first;
      const blocks = groups.map((records) => {
        const { count, frames } = batchOf({ stream: 1, partition: 0 }, records);
        const block = { firstSequence, count, time: 1_795_439_102_551, frames };
        firstSequence += count;
        return block;
      });
      const answer = encodeProtobufGetAnswer(blocks, 'next', (size) => Buffer.alloc(size, 0xaa));
      assert.deepEqual(decodeGetResult(answer), {
        nextShardIterator: 'next',
        records: groups.flat().map(({ data, key, timestamp }, index) => ({
          ...(key === undefined ? {} : { partitionKey: Buffer.from(key).toString() }),
          sequenceNumber: String(first + index),
          data: Buffer.from(data),
          timestamp: timestamp ?? 1_795_439_102_551,
          timestampType: 'CreateTime',
        })),
      });
    }),
  );
});

test('an empty answer has its cursor', () => {
  const cursor = 'x'.repeat(200);
  assert.deepEqual(decodeGetResult(encodeProtobufGetAnswer([], cursor, (size) => Buffer.alloc(size))), {
    nextShardIterator: cursor,
    records: [],
  });
});

test('what became of each record; failed entries carry nothing but their error', () => {
  const { partitions } = makeStream({ partitionCount: 3 });
  const outcome = fc.oneof(
    fc.record({ partition: fc.nat(2), sequence }),
    fc.string({ unit: 'binary', maxLength: 300 }).map((text) => new DomainError('InvalidRecord', [text])),
  );
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 300 }), (outcomes) => {
      const failed = outcomes.filter((each) => each instanceof DomainError).length;
      const answer = encodeProtobufPutAnswer({
        failed,
        partitions: outcomes.map((each) => (each instanceof DomainError ? undefined : partitions[each.partition])),
        sequences: Float64Array.from(outcomes, (each) => (each instanceof DomainError ? 0 : each.sequence)),
        errors: outcomes.map((each) => (each instanceof DomainError ? each : undefined)),
      });
      assert.deepEqual(decodePutResult(answer), {
        failedRecordCount: failed,
        records: outcomes.map((each) =>
          each instanceof DomainError
            ? { errorCode: 'DIS.4300', errorMessage: Buffer.from(each.message).toString() }
            : { shardId: partitions[each.partition]!.id, sequenceNumber: String(each.sequence) },
        ),
      });
    }),
  );
});
