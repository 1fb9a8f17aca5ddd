import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DisClient } from '../support/dis-client.ts';
import { expectEmpty } from '../support/expect.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runPoliciesConformance } from './suites/policies.ts';

const LIMIT = 7;
const GUEST = { domain: 'globex', projectId: 'g'.repeat(32), projectName: 'guests' };
const GUESTS = [
  { ...GUEST, user: 'bob', password: 'secret of bob' },
  { ...GUEST, user: 'carol', password: 'secret of carol' },
] as const;

let server: TestServer;
before(async () => {
  server = await startServer({
    config: {
      limits: { policies_per_stream: LIMIT },
      accounts: [
        {
          domain: GUEST.domain,
          projects: [{ id: GUEST.projectId, name: GUEST.projectName }],
          users: GUESTS.map(({ user: name, password }) => ({ name, password, role: 'admin' })),
        },
      ],
    },
  });
});
after(() => server.stop());

runPoliciesConformance(() => ({
  baseUrl: server.baseUrl,
  credentials: server.credentials,
  guests: GUESTS,
  limit: LIMIT,
}));

test('entries survive a kill', async () => {
  const dis = await DisClient.login(server);
  await dis.createStream('kept');
  const { id } = await dis.describe('kept');
  for (const [principal_name, effect] of [
    ['globex', 'accept'],
    ['globex.bob', 'deny'],
    ['*', 'accept'],
  ]) {
    const body = { stream_id: id, principal_name, action_type: 'getRecords', effect };
    expectEmpty(await dis.call('POST', '/streams/kept/policies', { body }), 200);
  }
  const before = (await dis.call('GET', '/streams/kept/policies')).text;
  await server.kill('SIGKILL');
  await server.restart();
  const again = dis.at(server.baseUrl);
  assert.equal((await again.call('GET', '/streams/kept/policies')).text, before);
  again.close();
});
