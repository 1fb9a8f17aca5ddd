import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DisClient } from '../support/dis-client.ts';
import { expectEmpty } from '../support/expect.ts';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runCheckpointsConformance } from './suites/checkpoints.ts';

let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects()));
after(() => projects.stop());

runCheckpointsConformance(() => projects.target);

test('a commit that was answered is there after the process was killed', async (t) => {
  let dis = await DisClient.login(projects.target);
  t.after(() => dis.close());
  await dis.createStream('durable', 4);
  expectEmpty(await dis.call('POST', '/apps', { body: { app_name: 'durable' } }), 201);
  const place = (partition: number) => ({
    app_name: 'durable',
    checkpoint_type: 'LAST_READ',
    stream_name: 'durable',
    partition_id: String(partition),
  });
  const commits = [0, 1, 2, 3].map(async (partition) => {
    const body = { ...place(partition), sequence_number: '0', metadata: `m${partition}` };
    expectEmpty(await dis.call('POST', '/checkpoints', { body }), 201);
  });
  await Promise.all(commits);
  await projects.server.kill('SIGKILL');
  await projects.server.restart();
  dis = dis.at(projects.server.baseUrl);
  for (const partition of [0, 1, 2, 3]) {
    const answer = await dis.call('GET', '/checkpoints', { query: place(partition) });
    assert.deepEqual(answer.json, { sequence_number: '0', metadata: `m${partition}` });
  }
  const listed = await dis.call('GET', '/apps', { query: { stream_name: 'durable' } });
  assert.deepEqual(
    listed.json.apps.map(({ app_name }: { app_name: string }) => app_name),
    ['durable'],
  );
});
