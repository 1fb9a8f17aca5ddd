import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import Value from 'typebox/value';
import { BufferPool } from '../platform/buffer-pool.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { MemoryLog } from '../../test/support/memory-log.ts';
import { batchOf, recordsOf } from '../../test/support/records.ts';
import { makePrincipal } from '../../test/support/principal.ts';
import { makeStream } from '../../test/support/streams.ts';
import { TrafficMeter } from '../metrics/traffic-meter.ts';
import { isDomainError, type ErrorName } from '../model/errors.ts';
import { LimitsSchema, type Limits } from '../model/limits.ts';
import { CursorCodec } from './cursor.ts';
import { getCursor, type CursorRequest } from './get-cursor.ts';
import { getRecords } from './get-records.ts';
import { trimExpired } from './retention.ts';
import { StreamRegistry } from './stream-registry.ts';

const HOUR_MS = 3_600_000;
const CURSOR_SECONDS = 300;

describe('reading while time passes', () => {
  let clock: ManualClock;
  let log: MemoryLog;
  let options: Parameters<typeof getRecords>[0];
  const stream = makeStream({ retentionHours: 24 });
  const { ref } = stream.partitions[0]!;

  /** Three records, an hour apart: the first one expires 22 hours from now. */
  beforeEach(async () => {
    clock = new ManualClock();
    log = new MemoryLog(clock);
    await log.addPartitions([ref]);
    options = {
      registry: new StreamRegistry([stream]),
      recordLog: log,
      clock,
      cursors: new CursorCodec(Buffer.alloc(32, 7), CURSOR_SECONDS),
      limits: Value.Default(LimitsSchema, {}) as Limits,
      throttle: undefined,
      traffic: new TrafficMeter(clock),
      buffers: new BufferPool(1024 * 1024),
    };
    for (const data of ['a', 'b', 'c']) {
      await log.append([batchOf(ref, [{ data }])]);
      if (data !== 'c') clock.advance(HOUR_MS);
    }
  });

  const cursor = (request: Partial<CursorRequest>) => getCursor(options, stream, { partitionId: '0', ...request });
  const get = (text: string, limit = 10, maxBytes = 1000) =>
    getRecords(options, { caller: makePrincipal(), cursor: text, limit, maxBytes });
  const read = async (text: string) =>
    recordsOf((await get(text)).blocks)
      .map(({ data }) => data)
      .join('');
  const refusal =
    (kind: ErrorName, message = /./) =>
    (error: unknown) =>
      isDomainError(error, kind) && message.test(error.message);

  test('a record is readable up to the last millisecond of its retention', async () => {
    clock.advance(22 * HOUR_MS);
    const horizon = await cursor({ type: 'TRIM_HORIZON' });
    assert.equal(await read(horizon), 'abc');
    clock.advance(1);
    await assert.rejects(get(horizon), refusal('CursorRecordExpired'));
    assert.equal(await read(await cursor({ type: 'TRIM_HORIZON' })), 'bc');
  });

  test('sequence numbers of what has expired are out of range, except the one just before what is left', async () => {
    clock.advance(22 * HOUR_MS + 1);
    const range = /^Sequence_number out of range\. \[0\]\[ should be within \]\[1\]\[ \]\[3\]$/;
    await assert.rejects(cursor({ sequenceNumber: '0' }), refusal('SequenceNumberOutOfRange', range));
    assert.equal(await read(await cursor({ sequenceNumber: '1' })), 'bc');
    assert.equal(await read(await cursor({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '0' })), 'bc');
    clock.advance(HOUR_MS);
    const before = /\[0\]\[ should be within \]\[1\]\[ \]\[2\]$/;
    const after0 = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '0' };
    await assert.rejects(cursor(after0), refusal('SequenceNumberOutOfRange', before));
    clock.advance(HOUR_MS);
    assert.equal(await read(await cursor({ sequenceNumber: '3' })), '', 'all has expired: the end is what is left');
    assert.equal(await read(await cursor({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '2' })), '');
  });

  test('timestamps are taken from the beginning of retention on', async () => {
    const oldest = clock.now() - 24 * HOUR_MS;
    assert.equal(await read(await cursor({ type: 'AT_TIMESTAMP', timestamp: String(oldest) })), 'abc');
    const message = new RegExp(`timestamp should be larger than ${oldest}$`);
    const request = cursor({ type: 'AT_TIMESTAMP', timestamp: String(oldest - 1) });
    await assert.rejects(request, refusal('TimestampExpired', message));
    const b = clock.now() - HOUR_MS;
    assert.equal(await read(await cursor({ type: 'AT_TIMESTAMP', timestamp: String(b) })), 'bc');
    assert.equal(await read(await cursor({ type: 'AT_TIMESTAMP', timestamp: String(b + 1) })), 'c');
  });

  test('a cursor lives for its time to the millisecond, and each answer brings a new one', async () => {
    const text = await cursor({ type: 'LATEST' });
    clock.advance(CURSOR_SECONDS * 1000);
    const { nextCursor } = await get(text);
    clock.advance(1);
    await assert.rejects(get(text), refusal('CursorExpired'));
    clock.advance(CURSOR_SECONDS * 1000 - 1);
    await get(nextCursor);
  });

  test('millis_behind_latest: the age of the next record, whether it was looked at or not', async () => {
    const horizon = await cursor({ type: 'TRIM_HORIZON' });
    clock.advance(5);
    assert.equal((await get(horizon, 1)).millisBehindLatest, HOUR_MS + 5);
    assert.equal((await get(horizon, 2)).millisBehindLatest, 5);
    assert.equal((await get(horizon, 3)).millisBehindLatest, 0);
    assert.equal((await get(horizon, 3, 1)).millisBehindLatest, HOUR_MS + 5);
  });

  test('records that cannot be read back: reading ends before them, and they are named', async () => {
    log.damage(ref, 1, 2);
    const { blocks, nextCursor } = await get(await cursor({ type: 'TRIM_HORIZON' }));
    assert.deepEqual(
      recordsOf(blocks).map(({ data }) => data),
      ['a'],
    );
    const message = /\[stream1\]\[shardId-0000000000\]\[1\]\[2\]$/;
    await assert.rejects(get(nextCursor), refusal('RecordsDamaged', message));
    assert.equal(await read(await cursor({ sequenceNumber: '2' })), 'c');
  });

  test('a cursor of a stream that is gone, or of one of another project', async () => {
    const text = await cursor({ type: 'LATEST' });
    const foreign = getRecords(options, {
      caller: makePrincipal({ projectId: 'other' }),
      cursor: text,
      limit: 1,
      maxBytes: 1,
    });
    await assert.rejects(foreign, refusal('InvalidCursor'));
    options = { ...options, registry: new StreamRegistry() };
    await assert.rejects(get(text), refusal('InvalidCursor'));
  });

  test('retention gives up what has expired, and nothing else', async () => {
    const trim = () =>
      trimExpired({ registry: options.registry, recordLog: log, clock, holdsOf: async () => new Map() });
    clock.advance(22 * HOUR_MS);
    await trim();
    assert.deepEqual(await log.bounds(ref), { first: 0, next: 3 });
    clock.advance(1);
    await trim();
    assert.deepEqual(await log.bounds(ref), { first: 1, next: 3 });
    clock.advance(2 * HOUR_MS);
    await trim();
    assert.deepEqual(await log.bounds(ref), { first: 3, next: 3 });
    // A stream that is being deleted is known to the registry a moment longer than to the log.
    await log.deleteStream(stream.number);
    await trim();
  });
});
