/**
 * Which partition may have taken a record while its stream was scaled: a second account of the rules, made of nothing
 * but descriptions of the stream and the times at which they held.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { PartitionInfo } from './dis-client.ts';

/** The layout of a stream between two scalings; times in ms of one clock. */
export interface Epoch {
  /** When the scaling that led to it was asked for. */
  readonly from: number;
  /** When the scaling that ended it was answered. */
  to: number;
  readonly partitions: readonly PartitionInfo[];
}

/** One put record: `from` its request to `to` its answer. */
export interface PutRecord {
  readonly key: string;
  readonly partition: number;
  readonly sequence: number;
  readonly from: number;
  readonly to: number;
}

export function hashOf(key: string): bigint {
  return createHash('md5').update(key).digest().readBigUInt64BE(0) & (2n ** 63n - 1n);
}

/** The ranges of the ACTIVE partitions must tile the space of hashes; resolves to the one that owns `hash`. */
export function ownerOf(partitions: readonly PartitionInfo[], hash: bigint): number {
  const owners = partitions.flatMap(({ status, hash_range }, number) => {
    if (status !== 'ACTIVE') return [];
    const [, low, high] = /^\[(\d+) : (\d+)\]$/.exec(hash_range) ?? [];
    return BigInt(low ?? -1) <= hash && hash <= BigInt(high ?? -1) ? [number] : [];
  });
  assert.equal(owners.length, 1, `owners of ${hash}`);
  return owners[0]!;
}

/**
 * Every record must be where its hash belonged at some moment between request and answer; and the records of a key, put
 * one after another, must have gone through the layouts in their order.
 */
export function checkOwners(epochs: readonly Epoch[], records: readonly PutRecord[]): void {
  for (const [key, ofKey] of Map.groupBy(records, (record) => record.key)) {
    const hash = hashOf(key);
    let at = 0;
    for (const record of ofKey) {
      const found = epochs.findIndex(({ from, to, partitions }, index) => {
        return index >= at && from <= record.to && record.from <= to && ownerOf(partitions, hash) === record.partition;
      });
      assert.notEqual(found, -1, `key ${key}: ${JSON.stringify(record)} from layout ${at} on`);
      at = found;
    }
  }
}
