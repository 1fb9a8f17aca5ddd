import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Spaced } from './spaced.ts';

test('a run begins after it was asked for, one at a time, no more than one a second', async () => {
  const clock = new ManualClock();
  const begun: number[] = [];
  const spaced = new Spaced({ clock, everyMs: 1000, job: async () => void begun.push(clock.monotonic()) });
  await Promise.all([spaced.run(), spaced.run()]);
  assert.deepEqual(begun, [0]);
  clock.advance(400);
  const waiting = Promise.all([spaced.run(), spaced.run()]);
  await setImmediate();
  clock.advance(599);
  await setImmediate();
  assert.deepEqual(begun, [0]);
  clock.advance(1);
  await waiting;
  assert.deepEqual(begun, [0, 1000]);
});

test('who asks while one runs gets the next one; a failure is that of those who waited for it', async () => {
  const clock = new ManualClock();
  const ends: PromiseWithResolvers<void>[] = [];
  const job = () => {
    const end = Promise.withResolvers<void>();
    ends.push(end);
    return end.promise;
  };
  const spaced = new Spaced({ clock, everyMs: 10, job });
  const first = spaced.run();
  await setImmediate();
  const second = spaced.run();
  clock.advance(10);
  await setImmediate();
  assert.equal(ends.length, 1, 'one at a time');
  ends[0]!.reject(new Error('first'));
  await assert.rejects(first, /first/);
  await setImmediate();
  assert.equal(ends.length, 2);
  ends[1]!.resolve();
  await second;
});
