/** The calls of IAM that DIS clients make, beyond the login: projects, domains, tokens described, temporary keys. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessKeyOf, credentialsOf, domainId, projectId } from '../../support/accounts.ts';
import { ApiClient, type CallOptions, type Target } from '../../support/api-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';
import { signRequest, type RequestSigner } from '../../support/sign.ts';

const ISO_MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const SECURITY_TOKENS = '/v3.0/OS-CREDENTIAL/securitytokens';
const NORTH = domainId('north');

/** Against a server whose config has the accounts of support/accounts.ts. */
export function runIamConformance(getTarget: () => Target): void {
  describe('iam', () => {
    let client: ApiClient;
    let baseUrl: string;
    let token: string;

    before(async () => {
      ({ baseUrl } = getTarget());
      client = new ApiClient(baseUrl);
      token = await client.login(credentialsOf('north', 'user'));
    });
    after(() => client.close());

    const login = (scope: unknown, credentials = credentialsOf('north', 'user')) => {
      const { user: name, password, domain } = credentials;
      const identity = { methods: ['password'], password: { user: { name, password, domain: { name: domain } } } };
      return client.call('POST', '/v3/auth/tokens', { body: { auth: { identity, scope } } });
    };
    const get = (path: string, options: CallOptions = {}) => client.call('GET', path, { token, ...options });
    const make = (identity: object, options: CallOptions = { token }) =>
      client.call('POST', SECURITY_TOKENS, { ...options, body: { auth: { identity } } });
    const listSigned = (signer: Omit<RequestSigner, 'family'>, path = `/v2/${projectId('north', 'one')}/streams`) => {
      const headers = signRequest({ family: 'chained', ...signer }, { method: 'GET', url: `${baseUrl}${path}` });
      return client.call('GET', path, { headers });
    };

    test('a login for a domain, or for null, gets the oldest project of the domain', async () => {
      const scopes = [
        { domain: { name: 'north' } },
        { domain: { id: NORTH } },
        { domain: { id: '', name: 'north' } },
        { project: null, domain: { name: 'north' } },
        { project: { id: '', name: '' } },
        { project: { name: 'one', domain: { id: NORTH } } },
        null,
      ];
      for (const scope of scopes) {
        const answer = await login(scope);
        expectJson(answer, 201);
        assert.equal(answer.json.token.project.id, projectId('north', 'one'));
      }
      for (const scope of [
        { domain: { name: 'south' } },
        { domain: { id: 'north' } },
        { project: { name: 'three' } },
      ]) {
        expectError(await login(scope), 403, 'DIS.4116');
      }
    });

    test('a login tells the role and the ids of domains', async () => {
      for (const [role, name] of [
        ['admin', 'dis_adm'],
        ['operator', 'dis_operator'],
        ['user', 'dis_user'],
      ] as const) {
        const { json } = await login({ project: { name: 'two' } }, credentialsOf('north', role));
        assert.deepEqual(json.token.roles, [{ id: role, name }]);
        assert.deepEqual(json.token.user.domain, { id: NORTH, name: 'north' });
        assert.deepEqual(json.token.project, {
          id: projectId('north', 'two'),
          name: 'two',
          domain: { id: NORTH, name: 'north' },
        });
      }
    });

    test('a token is described as at its login, to its own user and to administrators of its account', async () => {
      const made = await login({ project: { name: 'two' } });
      const subject = String(made.headers['x-subject-token']);
      const describeAs = (caller: string) =>
        get('/v3/auth/tokens', { token: caller, headers: { 'X-Subject-Token': subject } });
      const admin = await client.login(credentialsOf('north', 'admin'));
      for (const caller of [subject, token, admin]) {
        const answer = await describeAs(caller);
        expectJson(answer);
        assert.equal(answer.headers['x-subject-token'], subject);
        assert.deepEqual(answer.json, made.json);
      }
      expectError(await describeAs(await client.login(credentialsOf('north', 'operator'))), 403, 'DIS.4116');
      const stranger = await describeAs(await client.login(credentialsOf('south', 'admin')));
      expectError(stranger, 401, 'DIS.4114');
      assert.equal(stranger.json.error.title, 'Unauthorized');
      expectError(await get('/v3/auth/tokens', { headers: { 'X-Subject-Token': 'x' } }), 401, 'DIS.4114');
      expectError(await get('/v3/auth/tokens'), 401, 'DIS.4113');
      expectError(await describeAs(''), 401, 'DIS.4113');
    });

    test('projects are those of the account, by name and by domain', async () => {
      const names = async (path: string) => {
        const answer = await get(path);
        expectJson(answer);
        assert.deepEqual(answer.json.links, {});
        return answer.json.projects.map(({ name }: { name: string }) => name);
      };
      for (const path of ['/v3/projects', '/v3/auth/projects', '/v3/projects/']) {
        assert.deepEqual(await names(path), ['one', 'two']);
        assert.deepEqual(await names(`${path}?name=two`), ['two']);
        assert.deepEqual(await names(`${path}?name=Two`), []);
        assert.deepEqual(await names(`${path}?name=&domain_id=${NORTH}`), ['one', 'two']);
        assert.deepEqual(await names(`${path}?domain_id=${domainId('south')}`), []);
      }
      const { json } = await get('/v3/projects?name=one');
      assert.deepEqual(json.projects, [
        {
          id: projectId('north', 'one'),
          name: 'one',
          domain_id: NORTH,
          parent_id: NORTH,
          is_domain: false,
          enabled: true,
          description: '',
          links: {},
        },
      ]);
      const refused = await get('/v3/projects', { token: 'x' });
      expectError(refused, 401, 'DIS.4114');
      assert.equal(refused.json.error.code, 401);
    });

    test('the domain is the caller’s own', async () => {
      const answer = await get('/v3/auth/domains');
      expectJson(answer);
      const domain = { id: NORTH, name: 'north', enabled: true, description: '', links: {} };
      assert.deepEqual(answer.json, { domains: [domain], links: {} });
    });

    test('projects and domains are there for callers with a key, as the SDKs ask for them', async () => {
      const key = accessKeyOf('north', 'user');
      for (const family of ['direct', 'chained'] as const) {
        const path = '/v3/projects?name=one';
        const headers = signRequest({ family, ...key }, { method: 'GET', url: `${baseUrl}${path}` });
        const answer = await client.call('GET', path, { headers });
        expectJson(answer);
        assert.equal(answer.json.projects.length, 1);
      }
      expectJson(await listSigned(key, '/v3/auth/domains'));
    });

    test('a temporary key works with its security token only, as its maker in its project', async () => {
      const before = Date.now();
      const answer = await make({ methods: ['token'] });
      expectJson(answer, 201);
      const { access, secret, securitytoken, expires_at } = answer.json.credential;
      assert.match(expires_at, ISO_MICROSECONDS);
      assert.ok(Math.abs(Date.parse(expires_at) - before - 900_000) < 60_000);
      const key = { accessKey: access as string, secretKey: secret as string };
      expectJson(await listSigned({ ...key, securityToken: securitytoken }));
      expectJson(
        await listSigned({ ...key, securityToken: securitytoken }, `/v2/${projectId('north', 'two')}/streams`),
      );
      assert.equal((await listSigned(key)).status, 401);
      assert.equal((await listSigned({ ...key, securityToken: `${securitytoken}x` })).status, 401);
      const elsewhere = await listSigned(
        { ...key, securityToken: securitytoken },
        `/v2/${projectId('south', 'one')}/streams`,
      );
      expectError(elsewhere, 401, 'DIS.4117');
    });

    test('a temporary key lives from 900 to 86,400 seconds', async () => {
      for (const [seconds, life] of [
        [900, 900],
        [86_400, 86_400],
        [null, 900],
      ] as const) {
        const before = Date.now();
        const { json } = await make({ methods: ['token'], token: { id: '', duration_seconds: seconds } });
        assert.ok(Math.abs(Date.parse(json.credential.expires_at) - before - life * 1000) < 60_000);
      }
      for (const seconds of [899, 86_401, 900.5, '900', -1]) {
        const answer = await make({ methods: ['token'], token: { duration_seconds: seconds } });
        expectError(answer, 400, 'DIS.4300');
        assert.equal(answer.json.error.code, 400);
      }
    });

    test('temporary keys are made for the bearer of a token, and for callers with a key', async () => {
      const other = await client.login(credentialsOf('north', 'operator'));
      const made = await make({ methods: ['token'], token: { id: other, duration_seconds: 900 } });
      const { access: accessKey, secret: secretKey, securitytoken: securityToken } = made.json.credential;
      const cursors = `/v2/${projectId('north', 'one')}/cursors`;
      expectError(await listSigned({ accessKey, secretKey, securityToken }, cursors), 403, 'DIS.4116');
      expectError(await make({ methods: ['token'], token: { id: 'x' } }), 401, 'DIS.4114');

      const body = JSON.stringify({ auth: { identity: { methods: ['token'] } } });
      const sign = (signer: Omit<RequestSigner, 'family'>) =>
        signRequest(
          { family: 'direct', ...signer },
          {
            method: 'POST',
            url: `${baseUrl}${SECURITY_TOKENS}`,
            body,
            headers: { 'Content-Type': 'application/json' },
          },
        );
      const post = (signer: Omit<RequestSigner, 'family'>) =>
        client.call('POST', SECURITY_TOKENS, { body, headers: sign(signer) });
      expectJson(await post(accessKeyOf('north', 'user')), 201);
      expectError(await post({ accessKey, secretKey, securityToken }), 403, 'DIS.4116');
    });

    test('other ways to ask for temporary keys are refused', async () => {
      for (const identity of [
        {},
        { methods: [] },
        { methods: ['password'] },
        { methods: ['assume_role'], assume_role: { agency_name: 'a', domain_name: 'north' } },
        { methods: ['token'], policy: { Version: '1.1', Statement: [] } },
        { methods: ['token'], token: 'x' },
      ]) {
        expectError(await make(identity), 400, 'DIS.4300');
      }
      expectError(await client.call('POST', SECURITY_TOKENS, { token }), 400, 'DIS.4202');
      expectError(await make({ methods: ['token'] }, {}), 401, 'DIS.4113');
      const federated = await client.call('POST', '/v3.0/OS-AUTH/id-token/tokens', { token, body: {} });
      expectError(federated, 404, 'DIS.4200');
    });
  });
}
