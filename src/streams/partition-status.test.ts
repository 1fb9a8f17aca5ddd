import assert from 'node:assert/strict';
import test from 'node:test';
import { makeStream } from '../../test/support/streams.ts';
import { isDomainError } from '../model/errors.ts';
import { findPartition, statusAt } from './partition-status.ts';
import { repartition } from './repartition.ts';

const DAY_MS = 86_400_000;
const CLOSED_AT = 1_000_000;
const whole = makeStream({ partitionCount: 2, retentionHours: 24 });
const stream = { ...whole, partitions: repartition(whole, 1, CLOSED_AT) };

test('a partition that was scaled away is readable until the retention has passed, to the millisecond', () => {
  const partition = stream.partitions[1]!;
  assert.equal(statusAt(stream, partition, CLOSED_AT), 'DELETED');
  assert.equal(statusAt(stream, partition, CLOSED_AT + DAY_MS - 1), 'DELETED');
  assert.equal(statusAt(stream, partition, CLOSED_AT + DAY_MS), 'EXPIRED');
  assert.equal(findPartition(stream, '1', CLOSED_AT + DAY_MS - 1), partition);
  assert.throws(
    () => findPartition(stream, '1', CLOSED_AT + DAY_MS),
    (error) =>
      isDomainError(error, 'PartitionExpired') &&
      error.message === 'Partition is expired. [stream1][project][shardId-0000000001]',
  );
});

test('it goes by the retention that the stream has at the moment, and an ACTIVE partition does not expire', () => {
  const longer = { ...stream, retentionHours: 48 };
  assert.equal(statusAt(longer, stream.partitions[1]!, CLOSED_AT + DAY_MS), 'DELETED');
  assert.equal(statusAt(stream, stream.partitions[0]!, CLOSED_AT + 100 * DAY_MS), 'ACTIVE');
});

test('an id that is none, and one of no partition', () => {
  const refused = (id: string, kind: 'InvalidPartitionId' | 'PartitionNotFound') =>
    assert.throws(
      () => findPartition(stream, id, CLOSED_AT),
      (error) => isDomainError(error, kind),
    );
  refused('first', 'InvalidPartitionId');
  refused('2', 'PartitionNotFound');
});
