import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { LoginBlockedError, LoginLimiter } from './login-limiter.ts';

test('the last allowed failure still lets the next login be looked at; one more blocks until the window is over', () => {
  const clock = new ManualClock();
  const limiter = new LoginLimiter({ clock, failures: 3, windowSeconds: 300 });
  for (let i = 0; i < 3; i++) {
    limiter.attempt('a');
    clock.advance(1000);
  }
  assert.throws(
    () => limiter.check('a'),
    (error) => error instanceof LoginBlockedError && error.retryAfterSeconds === 297 && error.status === 429,
  );
  assert.throws(() => limiter.attempt('a'), LoginBlockedError);
  limiter.check('b');
  clock.advance(296_999);
  assert.throws(
    () => limiter.check('a'),
    (error) => error instanceof LoginBlockedError && error.retryAfterSeconds === 1,
  );
  clock.advance(1);
  limiter.check('a');
});

test('setting the wall clock lets nobody in', () => {
  const clock = new ManualClock();
  const limiter = new LoginLimiter({ clock, failures: 1, windowSeconds: 10 });
  limiter.attempt('a');
  clock.jump(3_600_000);
  assert.throws(() => limiter.check('a'), LoginBlockedError);
});

test('success clears the count', () => {
  const limiter = new LoginLimiter({ clock: new ManualClock(), failures: 2, windowSeconds: 10 });
  limiter.attempt('a');
  limiter.succeeded('a');
  limiter.attempt('a');
  limiter.check('a');
});

test('only so many addresses are remembered, the oldest goes', () => {
  const limiter = new LoginLimiter({ clock: new ManualClock(), failures: 1, windowSeconds: 10, sources: 2 });
  for (const source of ['a', 'b', 'c']) limiter.attempt(source);
  limiter.check('a');
  for (const source of ['b', 'c']) assert.throws(() => limiter.check(source), LoginBlockedError);
});
