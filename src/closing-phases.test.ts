import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { runClosingPhases } from './closing-phases.ts';

test('phases close in order, past one that fails and one that hangs', async () => {
  const closed: string[] = [];
  const phase = (name: string, close: () => Promise<void> | void) => ({
    name,
    limitMs: 20,
    close() {
      closed.push(name);
      return close();
    },
  });
  const failed = await runClosingPhases(
    [
      phase('http', () => undefined),
      phase('dump', () => new Promise(() => undefined)),
      phase('log', () => Promise.reject(new Error('disk'))),
      phase('catalog', () => Promise.resolve()),
    ],
    pino({ level: 'silent' }),
  );
  assert.deepEqual(closed, ['http', 'dump', 'log', 'catalog']);
  assert.deepEqual(failed, ['dump', 'log']);
});
