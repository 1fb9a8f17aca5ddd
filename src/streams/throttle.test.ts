import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { makeStream } from '../../test/support/streams.ts';
import type { StreamType } from '../model/stream.ts';
import { Throttle } from './throttle.ts';

const MEGABYTE = 1024 * 1024;
const RATES = {
  COMMON: { records: 1000, writeBytes: MEGABYTE, readBytes: 2 * MEGABYTE },
  ADVANCED: { records: 2000, writeBytes: 5 * MEGABYTE, readBytes: 10 * MEGABYTE },
};

for (const [type, rate] of Object.entries(RATES) as [StreamType, (typeof RATES)['COMMON']][]) {
  const stream = makeStream({ type, partitionCount: 2 });
  const [partition, other] = [stream.partitions[0]!, stream.partitions[1]!];

  test(`${type}: one second's worth of records, and as they come back`, () => {
    const clock = new ManualClock();
    const throttle = new Throttle(clock);
    const admitted = () => {
      let count = 0;
      while (throttle.admitWrite(stream, partition, 1)) count += 1;
      return count;
    };
    assert.equal(admitted(), rate.records);
    assert.ok(throttle.admitWrite(stream, other, 1), 'each partition has an allowance of its own');
    clock.advance(100);
    assert.equal(admitted(), rate.records / 10);
    clock.advance(3_600_000);
    assert.equal(admitted(), rate.records, 'what is not used is not saved up');
  });

  test(`${type}: one second's worth of bytes`, () => {
    const clock = new ManualClock();
    const throttle = new Throttle(clock);
    assert.ok(throttle.admitWrite(stream, partition, rate.writeBytes));
    assert.ok(!throttle.admitWrite(stream, partition, 1));
    clock.advance(500);
    assert.ok(!throttle.admitWrite(stream, partition, rate.writeBytes / 2 + 1));
    assert.ok(throttle.admitWrite(stream, partition, rate.writeBytes / 2));
  });

  test(`${type}: a read goes on while there is anything left, and is paid for afterwards`, () => {
    const clock = new ManualClock();
    const throttle = new Throttle(clock);
    assert.ok(throttle.admitRead(stream, partition, rate.readBytes - 1));
    assert.ok(throttle.admitRead(stream, partition, rate.readBytes + 1));
    assert.ok(!throttle.admitRead(stream, partition, 0));
    clock.advance(1000);
    assert.ok(!throttle.admitRead(stream, partition, 0));
    clock.advance(1);
    assert.ok(throttle.admitRead(stream, partition, 0));
  });
}
