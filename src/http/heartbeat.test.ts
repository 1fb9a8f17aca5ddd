import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { BEAT, withHeartbeat } from './heartbeat.ts';

test('a beat comes first, and whenever the time has passed without a value', async () => {
  const clock = new ManualClock();
  const { promise, resolve } = Promise.withResolvers<number>();
  let ended = false;
  const values = async function* () {
    try {
      yield 1;
      yield await promise;
    } finally {
      ended = true;
    }
  };
  const beating = withHeartbeat(values(), clock, 100);
  const next = async () => (await beating.next()).value;
  assert.equal(await next(), BEAT);
  assert.equal(await next(), 1);
  for (let beat = 0; beat < 2; beat += 1) {
    const waiting = next();
    clock.advance(100);
    assert.equal(await waiting, BEAT);
  }
  const waiting = next();
  clock.advance(99);
  resolve(2);
  assert.equal(await waiting, 2);
  assert.deepEqual(await beating.next(), { done: true, value: undefined });
  assert.equal(ended, true);
  assert.equal(clock.pending, 0);
});

test('an error is passed on, and who stops early ends the values', async () => {
  const clock = new ManualClock();
  const failing = withHeartbeat(
    (async function* () {
      throw new Error('broken');
    })(),
    clock,
    100,
  );
  assert.equal((await failing.next()).value, BEAT);
  await assert.rejects(failing.next(), /broken/);

  let ended = false;
  const values = async function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      ended = true;
    }
  };
  for await (const value of withHeartbeat(values(), clock, 100)) if (value === 1) break;
  assert.equal(ended, true);
  assert.equal(clock.pending, 0);
});
