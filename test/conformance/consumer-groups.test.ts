import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ON_CLUSTER } from '../support/backend.ts';
import { DisClient } from '../support/dis-client.ts';
import { expectEmpty, expectError } from '../support/expect.ts';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runConsumerGroupsConformance } from './suites/consumer-groups.ts';

const MEMBERS = 5;

let projects: TwoProjectServer;
before(async () => {
  projects = await startWithTwoProjects({
    env: { SLUICE_LIMITS_GROUP_SESSION_SECONDS: '3', SLUICE_LIMITS_GROUP_MEMBERS: String(MEMBERS) },
  });
});
after(() => projects.stop());

runConsumerGroupsConformance(() => projects.target);

test('the quota of members, and a restart: old generations stay old', async (t) => {
  let dis = await DisClient.login(projects.target);
  t.after(() => dis.close());
  await dis.createStream('restart', 2);
  expectEmpty(await dis.call('POST', '/apps', { body: { app_name: 'restart' } }), 201);
  const join = (clientId: string) =>
    dis.call('POST', '/apps/restart/consumers', {
      body: { clientId, interestedStream: ['restart'], accelerateAssignEnabled: true },
    });
  const call = async (what: string, generation: number) =>
    (await dis.call('POST', `/apps/restart/consumers/m1/${what}`, { body: { generation } })).json;
  const commit = (generation: number) =>
    dis.call('POST', '/checkpoints', {
      body: {
        app_name: 'restart',
        checkpoint_type: 'LAST_READ',
        stream_name: 'restart',
        partition_id: '0',
        sequence_number: '0',
        client_id: 'm1',
        generation_id: generation,
      },
    });

  for (let member = 1; member <= MEMBERS; member += 1) assert.equal((await join(`m${member}`)).json.state, 'OK');
  expectError(await join('more'), 400, 'DIS.4339', /\[5\]$/);
  for (let member = 2; member <= MEMBERS; member += 1) await dis.call('DELETE', `/apps/restart/consumers/m${member}`);
  await join('m1');
  const { generation, assignment } = await call('partitions', -1);
  assert.deepEqual(assignment, { restart: [0, 1] });
  expectEmpty(await commit(generation), 201);

  await projects.server.kill('SIGKILL');
  await projects.server.restart();
  dis = dis.at(projects.server.baseUrl);
  // What groups have agreed is in a shared catalog, whichever nodes are there, until a session is over.
  const { state } = await call('heartbeats', generation);
  if (ON_CLUSTER && state === 'STABLE') await dis.call('DELETE', '/apps/restart/consumers/m1');
  // Otherwise members are told to join again.
  assert.deepEqual(await call('heartbeats', generation), { state: 'JOINING' });
  expectError(await commit(generation), 400, 'DIS.4702');
  await join('m1');
  const again = await call('partitions', generation);
  assert.ok(again.generation > generation);
  expectError(await commit(generation), 400, 'DIS.4703');
  expectEmpty(await commit(again.generation), 201);
  assert.deepEqual(await call('heartbeats', again.generation), { state: 'STABLE' });
});
