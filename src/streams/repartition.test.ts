import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { makeStream } from '../../test/support/streams.ts';
import type { Partition, Stream } from '../model/stream.ts';
import { splitHashSpace } from './hash-ranges.ts';
import { repartition, writableCount } from './repartition.ts';

const scaled = (stream: Stream, target: number, now: number): Stream => ({
  ...stream,
  partitions: repartition(stream, target, now),
});
const shape = ({ partitions }: Stream) =>
  partitions.map(({ id, status, parents }) => [
    Number(id.slice(-10)),
    status,
    parents.map((parent) => Number(parent.slice(-10))),
  ]);

test('up makes partitions, down closes the highest numbers, up again opens them first', () => {
  const two = makeStream({ partitionCount: 2 });
  const four = scaled(two, 4, 1000);
  assert.deepEqual(shape(four), [
    [0, 'ACTIVE', []],
    [1, 'ACTIVE', [0]],
    // Of 0 it takes a single hash: a quarter of the space, rounded down, is a little less than half of a half.
    [2, 'ACTIVE', [0, 1]],
    [3, 'ACTIVE', [1]],
  ]);
  const one = scaled(four, 1, 2000);
  assert.deepEqual(shape(one), [
    [0, 'ACTIVE', [1, 2, 3]],
    [1, 'DELETED', [0]],
    [2, 'DELETED', [0, 1]],
    [3, 'DELETED', [1]],
  ]);
  assert.deepEqual(
    one.partitions.slice(1).map(({ hashLow, hashHigh, closedAt }) => [hashLow, hashHigh, closedAt]),
    Array<unknown>(3).fill([-1n, -1n, 2000]),
  );
  const three = scaled(one, 3, 3000);
  assert.deepEqual(shape(three), [
    [0, 'ACTIVE', []],
    [1, 'ACTIVE', [0]],
    [2, 'ACTIVE', [0]],
    [3, 'DELETED', [1]],
  ]);
  assert.deepEqual(three.partitions[1]!.closedAt, undefined);
  assert.equal(three.partitions[3]!.closedAt, 2000);
});

test('expired partitions are opened again too, and what is closed stays closed since it was closed', () => {
  const four = scaled(makeStream({ partitionCount: 4 }), 2, 5);
  const expired = {
    ...four,
    partitions: four.partitions.map((partition): Partition => {
      return partition.status === 'DELETED' ? { ...partition, status: 'EXPIRED' } : partition;
    }),
  };
  assert.deepEqual(
    scaled(expired, 3, 9).partitions.map(({ status, closedAt }) => [status, closedAt]),
    [
      ['ACTIVE', undefined],
      ['ACTIVE', undefined],
      ['ACTIVE', undefined],
      ['EXPIRED', 5],
    ],
  );
});

test('after any history the ACTIVE partitions share the space evenly in order of number, and know their parents', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
      (first, targets) => {
        let stream = makeStream({ partitionCount: first });
        targets.forEach((target, step) => {
          const before = stream.partitions;
          stream = scaled(stream, target, step);
          assert.equal(writableCount(stream), target);
          assert.equal(stream.partitions.length, Math.max(before.length, target));
          const ranges = splitHashSpace(target);
          stream.partitions.forEach((partition, number) => {
            assert.deepEqual(partition.ref, { stream: stream.number, partition: number });
            assert.equal(partition.status, number < target ? 'ACTIVE' : 'DELETED');
            if (number >= target) return;
            const { low, high } = ranges[number]!;
            assert.deepEqual([partition.hashLow, partition.hashHigh], [low, high]);
            const parents = before.filter(
              (old) => old.status === 'ACTIVE' && old.hashLow <= high && old.hashHigh >= low && old.id !== partition.id,
            );
            assert.deepEqual(
              partition.parents,
              parents.map(({ id }) => id),
            );
          });
        });
      },
    ),
  );
});
