/** Tokens over HTTP: the part of Keystone that DIS clients use. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApiClient, type Credentials, type Target } from '../../support/api-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';

const ISO_MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** Fails to log in a few times, from one address: fewer than a server must allow. */
export function runTokensConformance(getTarget: () => Target): void {
  describe('tokens', () => {
    let client: ApiClient;
    let credentials: Credentials;
    let streams: string;

    before(() => {
      const target = getTarget();
      client = new ApiClient(target.baseUrl);
      credentials = target.credentials;
      streams = `/v2/${credentials.projectId}/streams`;
    });
    after(() => client.close());

    const login = (auth: unknown, headers = {}) => client.call('POST', '/v3/auth/tokens', { body: { auth }, headers });
    const identity = (changes: { user?: string; password?: string; domain?: string } = {}) => {
      const { user, password, domain } = { ...credentials, ...changes };
      return { methods: ['password'], password: { user: { name: user, password, domain: { name: domain } } } };
    };
    const list = (token: string) => client.call('GET', streams, { token });

    test('a login answers with a token and who it stands for', async () => {
      const before = Date.now();
      const answer = await login({ identity: identity(), scope: { project: { id: credentials.projectId } } });
      expectJson(answer, 201);
      assert.ok(answer.headers['x-request-id']);
      const token = String(answer.headers['x-subject-token']);
      assert.match(token, /^[\w.-]{20,}$/);
      const described = answer.json.token;
      assert.deepEqual(described.methods, ['password']);
      assert.match(described.issued_at, ISO_MICROSECONDS);
      assert.match(described.expires_at, ISO_MICROSECONDS);
      assert.ok(Math.abs(Date.parse(described.issued_at) - before) < 60_000);
      assert.ok(Date.parse(described.expires_at) > Date.parse(described.issued_at));
      assert.equal(described.project.id, credentials.projectId);
      assert.equal(described.project.name, credentials.projectName);
      assert.equal(described.project.domain.name, credentials.domain);
      assert.equal(typeof described.project.domain.id, 'string');
      assert.equal(described.user.name, credentials.user);
      assert.equal(typeof described.user.id, 'string');
      assert.equal(described.user.domain.name, credentials.domain);
      assert.equal(described.user.password_expires_at, '');
      for (const role of described.roles) {
        assert.equal(typeof role.id, 'string');
        assert.equal(typeof role.name, 'string');
      }
      assert.deepEqual(described.catalog, []);
      expectJson(await list(token));
    });

    test('the project may be named, or left out', async () => {
      for (const scope of [{ project: { name: credentials.projectName } }, undefined]) {
        const answer = await login({ identity: identity(), scope });
        expectJson(answer, 201);
        assert.equal(answer.json.token.project.id, credentials.projectId);
      }
    });

    test('wrong credentials are refused alike, whatever is wrong with them', async () => {
      const scope = { project: { id: credentials.projectId } };
      for (const wrong of [{ password: 'not it' }, { user: 'nobody' }, { domain: 'elsewhere' }]) {
        const answer = await login({ identity: identity(wrong), scope });
        expectError(answer, 401, 'DIS.4114');
        assert.equal(answer.headers['x-subject-token'], undefined);
        assert.deepEqual(answer.json.error, { code: 401, message: answer.json.message, title: 'Unauthorized' });
      }
    });

    test('a project that the user does not have is refused', async () => {
      const answer = await login({ identity: identity(), scope: { project: { id: 'f'.repeat(32) } } });
      expectError(answer, 403, 'DIS.4116');
      assert.equal(answer.json.error.title, 'Forbidden');
    });

    test('requests of another shape are refused in the form of IAM', async () => {
      const password = identity().password;
      for (const auth of [
        undefined,
        {},
        { identity: {} },
        { identity: { methods: ['token'], token: { id: 'x' } } },
        { identity: { methods: ['password'] } },
        { identity: { methods: 'password', password } },
        { identity: { methods: ['password'], password: { user: { name: 1, password: 2 } } } },
      ]) {
        const answer = await login(auth);
        expectError(answer, 400, 'DIS.4300');
        assert.equal(answer.json.error.code, 400);
        assert.equal(answer.json.error.title, 'Bad Request');
      }
    });

    test('without a token, or with one that was made up, nothing is served', async () => {
      expectError(await client.call('GET', streams), 401, 'DIS.4113');
      expectError(await list(''), 401, 'DIS.4113');
      const genuine = await client.login(credentials);
      const last = genuine.at(-1) === 'A' ? 'B' : 'A';
      for (const forged of ['x', genuine.slice(0, -1) + last, genuine.slice(0, -1), `${genuine}A`, '%00', 'é']) {
        const answer = await client.call('GET', streams, {
          headers: { 'X-Auth-Token': Buffer.from(forged).toString('latin1') },
        });
        expectError(answer, 401, 'DIS.4114');
        assert.equal(answer.json.error, undefined);
      }
      expectJson(await list(genuine));
    });

    test('a token may be 32,768 characters long and is refused, not choked on, beyond', async () => {
      for (const length of [32_768, 32_769]) expectError(await list('t'.repeat(length)), 401, 'DIS.4114');
    });

    test('a token opens its own project only', async () => {
      const token = await client.login(credentials);
      for (const project of ['f'.repeat(32), 'x', credentials.projectId.toUpperCase(), `${credentials.projectId}0`]) {
        for (const [method, path] of [
          ['GET', `/v2/${project}/streams`],
          ['POST', `/v2/${project}/streams`],
          ['DELETE', `/v2/${project}/streams/x`],
        ] as const) {
          if (project === credentials.projectId) continue;
          expectError(await client.call(method, path, { token }), 401, 'DIS.4117');
        }
      }
    });

    test('a revoked token is refused; the others of its user are not', async () => {
      const [revoked, kept] = [await client.login(credentials), await client.login(credentials)];
      assert.notEqual(revoked, kept);
      expectJson(await list(revoked));
      const revoke = () => client.call('DELETE', '/v3/auth/tokens', { headers: { 'X-Subject-Token': revoked } });
      expectEmpty(await revoke(), 204);
      expectError(await list(revoked), 401, 'DIS.4114');
      expectJson(await list(kept));
      expectError(await revoke(), 401, 'DIS.4114');
      expectError(await client.call('DELETE', '/v3/auth/tokens'), 401, 'DIS.4113');
    });
  });
}
