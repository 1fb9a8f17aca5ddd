import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { repeat } from './repeat.ts';

test('a job is repeated after each pause, past a failure, until it is closed', async () => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  let runs = 0;
  const job = async () => {
    runs += 1;
    if (runs === 2) throw new Error('second');
  };
  const repetition = repeat(clock, 1000, job, (error) => errors.push(error));
  await setImmediate();
  assert.equal(runs, 1);
  for (const expected of [2, 3]) {
    clock.advance(999);
    assert.equal(runs, expected - 1);
    clock.advance(1);
    await setImmediate();
    assert.equal(runs, expected);
  }
  assert.equal(errors.length, 1);
  await repetition.close();
  assert.equal(clock.pending, 0);
});

test('closing waits for the run that is under way, and none follows', async () => {
  const clock = new ManualClock();
  const gate = Promise.withResolvers<void>();
  let closed = false;
  const repetition = repeat(clock, 1000, () => gate.promise, assert.ifError);
  const closing = repetition.close().then(() => (closed = true));
  await setImmediate();
  assert.equal(closed, false);
  gate.resolve();
  await closing;
  assert.equal(clock.pending, 0);
});
