import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Gate } from './gate.ts';

test('as many jobs run at a time as there are places, first come first served, failing ones too', async () => {
  const gate = new Gate(2);
  const begun: number[] = [];
  const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const jobs = ends.map(({ promise }, job) =>
    gate.run(async () => {
      begun.push(job);
      await promise;
      return job;
    }),
  );
  await setImmediate();
  assert.deepEqual(begun, [0, 1]);
  ends[1]!.reject(new Error('failed'));
  await assert.rejects(jobs[1]!, /failed/);
  await setImmediate();
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of ends) resolve();
  assert.deepEqual(await Promise.all([jobs[0], jobs[2], jobs[3]]), [0, 2, 3]);
  await gate.run(async () => begun.push(4));
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});
