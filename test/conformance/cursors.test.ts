import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DisClient, eventually, toBase64 } from '../support/dis-client.ts';
import { expectError, expectJson } from '../support/expect.ts';
import { startServer } from '../support/server.ts';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runCursorsConformance } from './suites/cursors.ts';

let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects()));
after(() => projects.stop());

runCursorsConformance(() => projects.target);

test('a cursor of another server is none, and cursors survive a restart', async (t) => {
  const second = await startServer({ env: { SLUICE_LIMITS_CURSOR_SECONDS: '1' } });
  t.after(() => second.stop());
  const here = await DisClient.login(projects.target);
  const there = await DisClient.login(second);
  t.after(() => [here, there].forEach((dis) => dis.close()));
  for (const dis of [here, there]) {
    await dis.createStream('same');
    await dis.store('same', [{ data: toBase64('x') }]);
  }
  expectError(await there.get(await here.cursor('same', 0)), 400, 'DIS.4217');
  expectError(await here.get(await there.cursor('same', 0)), 400, 'DIS.4217');

  const cursor = await here.cursor('same', 0);
  await projects.server.kill('SIGKILL');
  await projects.server.restart();
  const again = here.at(projects.server.baseUrl);
  t.after(() => again.close());
  expectJson(await again.get(cursor));

  // One second old at most: there is no clock here to move.
  const brief = await there.cursor('same', 0);
  expectJson(await there.get(brief));
  const late = await eventually(
    'the cursor expires',
    () => there.get(brief),
    ({ status }) => status !== 200,
  );
  expectError(late, 400, 'DIS.4225');
  assert.equal((await there.page(await there.cursor('same', 0))).records.length, 1);
});
