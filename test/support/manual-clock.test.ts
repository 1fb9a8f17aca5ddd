import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from './manual-clock.ts';

test('timers fire in the order of their times, each at its time, those set meanwhile included', () => {
  const clock = new ManualClock(1000);
  const fired: string[] = [];
  const note = (name: string) => () => void fired.push(`${name}@${clock.now()}`);
  clock.after(20, note('c'));
  clock.after(10, () => {
    note('a')();
    clock.after(5, note('b'));
    clock.after(100, note('late'));
  });
  clock.after(20, note('d'));
  clock.after(15, note('cancelled')).cancel();
  clock.advance(9);
  assert.deepEqual(fired, []);
  clock.advance(21);
  assert.deepEqual(fired, ['a@1010', 'b@1015', 'c@1020', 'd@1020']);
  assert.deepEqual([clock.now(), clock.monotonic(), clock.pending], [1030, 30, 1]);
});

test('a jump moves the wall clock alone', () => {
  const clock = new ManualClock(1000);
  clock.after(10, () => assert.fail());
  clock.jump(-500);
  assert.deepEqual([clock.now(), clock.monotonic()], [500, 0]);
});
