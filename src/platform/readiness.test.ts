import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { Readiness, READINESS_LIFE_MS, READINESS_LIMIT_MS, type ReadinessCheck } from './readiness.ts';

function setUp(checks: Record<string, ReadinessCheck>) {
  const clock = new ManualClock();
  const complaints: string[] = [];
  const onFailed = (name: string, error: unknown) => void complaints.push(`${name}: ${String(error)}`);
  return { clock, complaints, readiness: new Readiness({ clock, checks, onFailed }) };
}

test('ready when everything is there; what is not is named, and why is told to the log alone', async () => {
  let broken = false;
  const { clock, complaints, readiness } = setUp({
    catalog: async () => {
      if (broken) throw new Error('refused');
    },
    log: () => undefined,
  });
  assert.deepEqual(await readiness.report(), { ready: true, checks: { catalog: 'ok', log: 'ok' } });
  broken = true;
  clock.advance(READINESS_LIFE_MS);
  assert.deepEqual(await readiness.report(), { ready: false, checks: { catalog: 'failed', log: 'ok' } });
  assert.deepEqual(complaints, ['catalog: Error: refused']);
});

test('what does not answer in time is not there', async () => {
  const { clock, readiness } = setUp({ catalog: () => new Promise(() => undefined), log: async () => undefined });
  const report = readiness.report();
  let told = false;
  const watched = report.then(() => (told = true));
  clock.advance(READINESS_LIMIT_MS - 1);
  await setImmediate();
  assert.equal(told, false);
  clock.advance(1);
  await watched;
  assert.deepEqual(await report, { ready: false, checks: { catalog: 'timed out', log: 'ok' } });
  assert.equal(clock.pending, 0);
});

test('a report is good for a second, and one is made at a time', async () => {
  let asked = 0;
  const { clock, readiness } = setUp({ catalog: async () => void (asked += 1) });
  await Promise.all([readiness.report(), readiness.report()]);
  assert.equal(asked, 1);
  clock.advance(READINESS_LIFE_MS - 1);
  await readiness.report();
  assert.equal(asked, 1);
  clock.advance(1);
  await readiness.report();
  assert.equal(asked, 2);
});
