import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodePutRequest, type ProtobufRecord } from '../../test/support/protobuf.ts';
import { hashKey } from '../model/key-hash.ts';
import type { RecordSource } from '../model/record-source.ts';
import { JsonRecords } from './json-records.ts';
import { readProtobufPut } from './protobuf-records.ts';

const text = fc.string({ unit: 'binary', maxLength: 80 });
const record: fc.Arbitrary<ProtobufRecord> = fc.record(
  {
    data: fc.uint8Array({ maxLength: 60 }),
    explicitHashKey: text,
    partitionKey: text,
    partitionId: text,
    timestamp: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  },
  { requiredKeys: [] },
);

/** Everything that a source says about its records. */
function contentsOf(source: RecordSource) {
  return Array.from({ length: source.count }, (_, index) => {
    const room = Buffer.alloc(source.dataBytes(index) + 2, 0xaa);
    assert.equal(source.writeData(index, room, 1), room.length - 2);
    const keyBytes = source.keyBytes(index);
    const key = Buffer.alloc(Math.max(0, keyBytes) + 2, 0xaa);
    const hash = { high: 0, low: 0 };
    if (keyBytes >= 0) {
      source.writeKey(index, key, 1);
      source.hashKey(index, hash);
    }
    return {
      problem: source.problem(index),
      data: room.toString('hex'),
      key: key.toString('hex'),
      keyBytes,
      hash,
      partitionId: source.partitionId(index),
      explicitHashKey: source.explicitHashKey(index),
      timestamp: source.timestamp(index),
    };
  });
}

test('a request in protobuf says what the same request in JSON says', () => {
  fc.assert(
    fc.property(text, text, fc.array(record, { maxLength: 8 }), (streamName, streamId, records) => {
      const put = readProtobufPut(encodePutRequest({ streamName, streamId, records }), 8);
      assert.equal(put.streamName, streamName);
      assert.equal(put.streamId, streamId);
      const json = new JsonRecords(
        records.map(({ data, partitionId, partitionKey, explicitHashKey, timestamp }) => ({
          data: Buffer.from(data ?? []).toString('base64'),
          ...(partitionId === undefined ? {} : { partition_id: partitionId }),
          ...(partitionKey === undefined ? {} : { partition_key: partitionKey }),
          ...(explicitHashKey === undefined ? {} : { explicit_hash_key: explicitHashKey }),
          ...(timestamp === undefined ? {} : { timestamp }),
        })),
      );
      assert.deepEqual(contentsOf(put.records), contentsOf(json));
    }),
  );
});

test('names and records may be missing', () => {
  const { streamName, streamId, records } = readProtobufPut(Buffer.alloc(0), 1);
  assert.deepEqual([streamName, streamId, records.count], ['', '', 0]);
});

test('as many records as are allowed, and one more', () => {
  const records = new Array<ProtobufRecord>(3).fill({ data: Buffer.from('a') });
  assert.equal(readProtobufPut(encodePutRequest({ records }), 3).records.count, 3);
  assert.throws(() => readProtobufPut(encodePutRequest({ records }), 2), /\[records\]\[3\]\[2\]/);
});

test('a piece of a file, and a key that is not UTF-8, are wrong in their form', () => {
  const extendedInfo = { fileName: 'f', deliverDataId: 'd', seqNum: 0 };
  const request = encodePutRequest({
    records: [{ partitionKey: 'key' }, { extendedInfo }, { partitionKey: '键' }, { partitionKey: 'key' }],
  });
  request[request.lastIndexOf('key')] = 0xff;
  const { records } = readProtobufPut(request, 10);
  const problems = Array.from({ length: 4 }, (_, index) => records.problem(index)?.message ?? '');
  assert.equal(problems[0], '');
  assert.match(problems[1]!, /retired.*\[upload of small files\]$/i);
  assert.equal(problems[2], '');
  assert.match(problems[3]!, /partition_key must be UTF-8/);
});

test('a time that is no time refuses the request', () => {
  for (const timestamp of [-1, 2 ** 53]) {
    const request = encodePutRequest({ records: [{}, { timestamp }] });
    assert.throws(() => readProtobufPut(request, 10), /\[records\.1\.timestamp\]/);
  }
  const largest = encodePutRequest({ records: [{ timestamp: Number.MAX_SAFE_INTEGER }] });
  assert.equal(readProtobufPut(largest, 1).records.timestamp(0), Number.MAX_SAFE_INTEGER);
});

test('the last of a field counts, and a known number with another wire type is unknown', () => {
  const record = Buffer.from([0x1a, 1, 0x61, 0x1a, 2, 0x62, 0x63, 0x18, 5, 0x2a, 1, 0x6b, 0x28, 9]);
  const request = Buffer.concat([Buffer.from([0x0a, 1, 0x78, 0x0a, 1, 0x79, 0x08, 3, 0x12, record.length]), record]);
  const { streamName, records } = readProtobufPut(request, 1);
  assert.equal(streamName, 'y');
  const data = Buffer.alloc(2);
  assert.equal(records.writeData(0, data, 0), 2);
  assert.equal(data.toString(), 'bc');
  const hash = { high: 0, low: 0 };
  const expected = { high: 0, low: 0 };
  records.hashKey(0, hash);
  hashKey('k', expected);
  assert.deepEqual(hash, expected);
});

test('a record that reaches beyond its request is refused', () => {
  assert.throws(() => readProtobufPut(Buffer.from([0x12, 3, 0x1a, 2, 0x61]), 1), /must be a protobuf message/);
  assert.throws(() => readProtobufPut(Buffer.from([0x12, 2, 0x1a, 2, 0x61, 0x62]), 1), /must be a protobuf message/);
});
