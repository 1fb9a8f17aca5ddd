import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { NODES } from '../support/backend.ts';
import { expectError, expectJson } from '../support/expect.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runTokensConformance } from './suites/tokens.ts';

let server: TestServer;
before(async () => (server = await startServer({ config: { auth: { login_failures: 6 } } })));
after(() => server.stop());

runTokensConformance(() => server);

test('tokens survive a restart, and a kill', async () => {
  const token = await server.client.login(server.credentials);
  const list = () => server.client.call('GET', `/v2/${server.projectId}/streams`, { token });
  await server.restart();
  expectJson(await list());
  assert.equal(await server.kill('SIGKILL'), 'SIGKILL');
  await server.restart();
  expectJson(await list());
});

test('too many failed logins block the address, with the time to wait', async () => {
  const login = (password: string) =>
    server.client.call('POST', '/v3/auth/tokens', {
      body: {
        auth: {
          identity: {
            methods: ['password'],
            password: {
              user: { name: server.credentials.user, password, domain: { name: server.credentials.domain } },
            },
          },
        },
      },
    });
  await server.restart();
  // Each node counts for itself.
  for (let i = 0; i < 6 * NODES; i += 1) expectError(await login('wrong'), 401, 'DIS.4114');
  const blocked = await login('wrong');
  expectError(blocked, 429, 'DIS.4309');
  assert.match(String(blocked.headers['retry-after']), /^\d+$/);
  assert.equal(blocked.json.error.code, 429);
});

test('authentication fails with 441 where the config says so, and other errors keep their status', async (t) => {
  const strict = await startServer({ config: { auth: { failure_status: 441 } } });
  t.after(() => strict.stop());
  const streams = `/v2/${strict.projectId}/streams`;
  expectError(await strict.client.call('GET', streams), 441, 'DIS.4113');
  expectError(await strict.client.call('GET', streams, { token: 'x' }), 441, 'DIS.4114');
  const token = await strict.token();
  expectError(await strict.client.call('GET', '/v2/other/streams', { token }), 441, 'DIS.4117');
  expectError(await strict.client.call('GET', `${streams}/none`, { token }), 400, 'DIS.4301');
});

test('a token expires', async (t) => {
  const brief = await startServer({ env: { SLUICE_AUTH_TOKEN_SECONDS: '1' } });
  t.after(() => brief.stop());
  const token = await brief.client.login(brief.credentials);
  const list = () => brief.client.call('GET', `/v2/${brief.projectId}/streams`, { token });
  expectJson(await list());
  // The life of a token in whole seconds is the server's own clock: there is none here to move.
  while ((await list()).status === 200) await new Promise((resolve) => setTimeout(resolve, 100));
  expectError(await list(), 401, 'DIS.4114');
});
