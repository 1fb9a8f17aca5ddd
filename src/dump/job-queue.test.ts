import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { JobQueue } from './job-queue.ts';

/** Jobs that end when the test says so. */
class Bench {
  readonly clock = new ManualClock();
  readonly queue = new JobQueue(this.clock, 2);
  /** Keys of the runs in the order in which they began. */
  readonly began: string[] = [];
  readonly #runs = new Map<string, PromiseWithResolvers<number | undefined>>();

  add(key: string, taskId = 'task'): void {
    this.queue.add({
      key,
      taskId,
      run: (signal) => {
        this.began.push(key);
        const run = Promise.withResolvers<number | undefined>();
        this.#runs.set(key, run);
        signal.addEventListener('abort', () => run.resolve(7));
        return run.promise;
      },
    });
  }

  async end(key: string, delay?: number): Promise<void> {
    this.#runs.get(key)!.resolve(delay);
    await setImmediate();
  }
}

test('so many at a time, first in first out', async () => {
  const bench = new Bench();
  for (const key of ['a', 'b', 'c', 'd']) bench.add(key);
  assert.deepEqual(bench.began, ['a', 'b']);
  assert.equal(bench.queue.working, 2);
  await bench.end('b');
  assert.deepEqual(bench.began, ['a', 'b', 'c']);
  await bench.end('a');
  await bench.end('c');
  await bench.end('d');
  assert.equal(bench.queue.working, 0);
});

test('a key is there once until its job is done with', async () => {
  const bench = new Bench();
  bench.add('a');
  bench.add('a');
  await bench.end('a', 5);
  bench.add('a');
  assert.deepEqual(bench.began, ['a']);
  bench.clock.advance(5);
  bench.queue.wake();
  assert.deepEqual(bench.began, ['a', 'a']);
  await bench.end('a');
  bench.add('a');
  assert.equal(bench.began.length, 3);
});

test('a job comes back when it said, at a wake, and at once after 0', async () => {
  const bench = new Bench();
  bench.add('a');
  await bench.end('a', 1000);
  bench.clock.advance(999);
  bench.queue.wake();
  assert.equal(bench.began.length, 1);
  bench.clock.advance(1);
  bench.queue.wake();
  assert.equal(bench.began.length, 2);
  await bench.end('a', 0);
  assert.equal(bench.began.length, 3);
});

test('dropping a task aborts what runs and none of it comes back; then it is cleaned up after', async () => {
  const bench = new Bench();
  for (const key of ['running', 'waiting', 'ready']) bench.add(key);
  bench.add('other', 'other');
  await bench.end('waiting', 1000);
  assert.deepEqual(bench.began, ['running', 'waiting', 'ready']);
  bench.add('last');
  const cleaned = Promise.withResolvers<void>();
  let workingAtClean: number | undefined;
  bench.queue.drop('task', () => {
    workingAtClean = bench.queue.working;
    return cleaned.promise;
  });
  await setImmediate();
  assert.deepEqual(bench.began.slice(3), ['other']);
  assert.equal(workingAtClean, 2, 'the other one and the cleaning: what was aborted has ended');
  bench.clock.advance(10_000);
  bench.queue.wake();
  assert.equal(bench.began.length, 4);
  bench.add('waiting');
  assert.equal(bench.began.at(-1), 'waiting');

  let drained = false;
  const draining = bench.queue.drain().then(() => (drained = true));
  await bench.end('other');
  await bench.end('waiting');
  assert.equal(drained, false, 'it is waited for what is cleaned up');
  cleaned.resolve();
  await draining;
});

test('draining waits for what runs and lets nothing else begin', async () => {
  const bench = new Bench();
  for (const key of ['a', 'b', 'c']) bench.add(key);
  let drained = false;
  const draining = bench.queue.drain().then(() => (drained = true));
  await bench.end('a');
  assert.equal(drained, false);
  await bench.end('b');
  await draining;
  bench.add('d');
  bench.queue.wake();
  assert.deepEqual(bench.began, ['a', 'b']);
});

test('when all is aborted nothing takes its place, and cleaning is told to give up', async () => {
  const bench = new Bench();
  for (const key of ['a', 'b', 'c']) bench.add(key);
  const told = new Promise<void>((resolve) => {
    bench.queue.drop('nothing of it', async (signal) => signal.addEventListener('abort', () => resolve()));
  });
  await setImmediate();
  bench.queue.abortAll();
  await told;
  await setImmediate();
  assert.equal(bench.queue.working, 0);
  assert.deepEqual(bench.began, ['a', 'b']);
});
