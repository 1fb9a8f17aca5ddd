import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accessKeyOf, ACCOUNTS, credentialsOf, projectId } from '../support/accounts.ts';
import { expectError, expectJson } from '../support/expect.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { signRequest, type RequestSigner, type SigningHabits } from '../support/sign.ts';
import { runSignaturesConformance } from './suites/signatures.ts';

let server: TestServer;
before(async () => (server = await startServer({ config: { accounts: ACCOUNTS } })));
after(() => server.stop());

runSignaturesConformance(() => server);

const KEY: RequestSigner = { family: 'chained', ...accessKeyOf('north', 'admin') };
const STREAMS = `/v2/${projectId('north', 'one')}/streams`;

function list({ client, baseUrl }: TestServer, signer = KEY, habits: SigningHabits = {}) {
  const headers = signRequest(signer, { method: 'GET', url: `${baseUrl}${STREAMS}` }, habits);
  return client.call('GET', STREAMS, { headers });
}

test('a temporary key that has expired is refused', async () => {
  const made = await server.client.call('POST', '/v3.0/OS-CREDENTIAL/securitytokens', {
    token: await server.client.login(credentialsOf('north', 'admin')),
    body: { auth: { identity: { methods: ['token'] } } },
  });
  expectJson(made, 201);
  const { access, secret, securitytoken } = (
    made.json as { credential: { access: string; secret: string; securitytoken: string } }
  ).credential;
  // The shortest life is a quarter of an hour, and the clock is the server's own.
  const catalog = new DatabaseSync(join(server.dataDir, 'catalog.db'), { timeout: 5000 });
  catalog.prepare('update access_keys set expires_at = ? where access_key = ?').run(Date.now() - 1, access);
  catalog.close();
  const signer = { ...KEY, accessKey: access, secretKey: secret, securityToken: securitytoken };
  expectError(await list(server, signer), 401, 'DIS.4107');
});

test('the config names a region, takes bodies that are not signed, and another status', async (t) => {
  const auth = { region: 'cn-north-1', unsigned_payload: true, failure_status: 441 };
  const strict = await startServer({ config: { accounts: ACCOUNTS, auth } });
  t.after(() => strict.stop());
  expectJson(await list(strict, { ...KEY, region: 'cn-north-1' }));
  expectError(await list(strict, { ...KEY, region: 'cn-north-2' }), 441, 'DIS.4111');
  expectJson(await list(strict, { ...KEY, family: 'direct' }, { contentHash: 'UNSIGNED-PAYLOAD' }));
  const bare = { contentHash: 'UNSIGNED-PAYLOAD', signedHeaders: [] };
  expectError(await list(strict, { ...KEY, family: 'direct' }, bare), 441, 'DIS.4100');
});
