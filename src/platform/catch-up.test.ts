import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { CatchUp } from './catch-up.ts';

test('reads follow one another: an older answer never replaces a newer one', async () => {
  const answers: PromiseWithResolvers<string>[] = [];
  const memory: string[] = [];
  const read = async () => {
    const answer = Promise.withResolvers<string>();
    answers.push(answer);
    memory.push(await answer.promise);
  };
  const catchUp = new CatchUp<number>({ clock: new ManualClock(), read, onError: assert.ifError });
  const both = Promise.all([catchUp.read([1]), catchUp.read([1])]);
  await setImmediate();
  assert.equal(answers.length, 1, 'the second asks when the first has its answer');
  answers[0]!.resolve('old');
  await setImmediate();
  answers[1]!.resolve('new');
  await both;
  assert.deepEqual(memory, ['old', 'new']);
});

test('a read that fails is told, makes the memory old, and is made again each second until it succeeds', async () => {
  const clock = new ManualClock();
  const told: unknown[] = [];
  let broken = true;
  let reads = 0;
  const read = async () => {
    reads += 1;
    if (broken) throw new Error('away');
  };
  const catchUp = new CatchUp<number>({ clock, read, onError: (error) => told.push(error) });
  await assert.rejects(catchUp.read([1]), /away/);
  assert.deepEqual([catchUp.current, told.length], [false, 0]);
  clock.advance(999);
  await setImmediate();
  assert.equal(reads, 1);
  clock.advance(1);
  await setImmediate();
  assert.deepEqual([reads, catchUp.current, told.length], [2, false, 1]);
  broken = false;
  clock.advance(1000);
  await setImmediate();
  assert.deepEqual([reads, catchUp.current, clock.pending], [3, true, 0]);
});

test('closed, it makes nothing again', async () => {
  const clock = new ManualClock();
  const read = () => Promise.reject(new Error('away'));
  const catchUp = new CatchUp<number>({ clock, read, onError: () => undefined });
  catchUp.doubt('all');
  await setImmediate();
  assert.equal(clock.pending, 1);
  catchUp.close();
  assert.equal(clock.pending, 0);
});
