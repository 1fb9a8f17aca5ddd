import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { runSluice } from '../support/cli.ts';
import { eventually } from '../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../support/expect.ts';
import { ON_CLUSTER } from '../support/backend.ts';
import { CREDENTIALS, failToStart, startServer, type TestServer } from '../support/server.ts';
import { signRequest } from '../support/sign.ts';

/** What commands print of what they have made: each some of it. */
type Made = Readonly<Record<'id' | 'role' | 'password' | 'access_key' | 'secret_key', string>>;

describe('the command line beside a server', () => {
  let server: TestServer;
  before(async () => (server = await startServer()));
  after(() => server.stop());

  const sluice = (...args: string[]) => runSluice([...args, '--data-dir', server.dataDir], '', server.env);
  const json = async <T = Made>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await sluice(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  };
  const list = (projectId: string, token: string) => server.client.call('GET', `/v2/${projectId}/streams`, { token });
  const listSigned = (projectId: string, accessKey: string, secretKey: string) => {
    const path = `/v2/${projectId}/streams`;
    const request = { method: 'GET', url: `${server.baseUrl}${path}` };
    const headers = signRequest({ family: 'direct', accessKey, secretKey }, request);
    return server.client.call('GET', path, { headers });
  };

  test('an account made by it works at once, and what it takes away is gone within seconds', async () => {
    const { id: projectId } = await json('project', 'add', 'one', '--domain', 'north');
    const bob = await json('user', 'add', 'bob', '--domain', 'north', '--role', 'admin');
    const eve = await json('user', 'add', 'eve', '--domain', 'north');
    assert.equal(eve.role, 'user');
    const kept = await json('key', 'add', 'bob', '--domain', 'north', '--project', 'one');
    const lost = await json('key', 'add', 'bob', '--domain', 'north');
    const login = (user: string, password: string) =>
      server.client.login({ projectId, projectName: 'one', domain: 'north', user, password });
    const [bobs, eves] = [await login('bob', bob.password), await login('eve', eve.password)];
    const key = (made: Made) => listSigned(projectId, made.access_key, made.secret_key);
    for (const look of [() => list(projectId, bobs), () => list(projectId, eves), () => key(kept), () => key(lost)]) {
      expectJson(await look());
    }

    const stream = { stream_name: 's', partition_count: 1 };
    const create = () => server.client.call('POST', `/v2/${projectId}/streams`, { token: bobs, body: stream });
    expectEmpty(await create(), 201);
    const inUse = await sluice('project', 'remove', 'one', '--domain', 'north');
    assert.deepEqual([inUse.code, inUse.stdout], [1, '']);
    assert.match(inUse.stderr, /^sluice: project "one" of domain "north" has streams \(1\): delete them first\n$/);

    await Promise.all([
      json('user', 'set-role', 'bob', 'user', '--domain', 'north'),
      json('user', 'remove', 'eve', '--domain', 'north'),
      json('key', 'remove', lost.access_key),
    ]);
    const follows = (what: string, look: () => Promise<{ status: number }>, status: number) =>
      eventually(
        what,
        async () => (await look()).status,
        (seen) => seen === status,
        15_000,
      );
    await Promise.all([
      follows('the role', create, 403),
      follows('the user', () => list(projectId, eves), 401),
      follows('the key', () => key(lost), 401),
    ]);
    expectJson(await key(kept));
    await assert.rejects(login('eve', eve.password), /answered 401/);

    const replaced = await json('user', 'set-password', 'bob', '--domain', 'north');
    await follows('the token', () => list(projectId, bobs), 401);
    await login('bob', replaced.password);
  });

  test('lists are for people and for scripts, without secrets', async () => {
    const users = await sluice('user', 'list', '--domain', CREDENTIALS.domain);
    assert.match(users.stdout, /^DOMAIN +NAME +ROLE +ID +FIRST\nacme +alice +admin +[0-9a-f]{32} +yes\n$/);
    const keys = await sluice('key', 'list', '--user', CREDENTIALS.user);
    assert.match(keys.stdout, new RegExp(`^ACCESS_KEY .*\n${CREDENTIALS.accessKey} +acme +alice +default .* never\n$`));
    assert.equal(keys.stdout.includes(CREDENTIALS.secretKey), false);
    const projects = await json<unknown>('project', 'list', '--domain', CREDENTIALS.domain);
    assert.deepEqual(projects, [{ domain: 'acme', name: 'default', id: server.projectId, streams: 0, apps: 0 }]);
  });

  test('a password comes from standard input, without its line break', async () => {
    const args = ['user', 'add', 'carol', '--password-stdin', '--data-dir', server.dataDir];
    const { code, stdout, stderr } = await runSluice(args, 'typed in\n', server.env);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.includes('password'), false);
    await server.client.login({ ...CREDENTIALS, user: 'carol', password: 'typed in' });
    const empty = await runSluice([...args.slice(0, 2), 'dave', ...args.slice(3)], '\n', server.env);
    assert.deepEqual([empty.code, empty.stderr], [1, 'sluice: the password is empty\n']);
  });

  test('errors are one line and the exit code is 1', async () => {
    const wrong: [RegExp, string[]][] = [
      [/no user "nobody" in domain "acme"/, ['user', 'remove', 'nobody']],
      [/a user "alice" in domain "acme" already/, ['user', 'add', 'alice']],
      [/Allowed choices are admin, operator, user/, ['user', 'add', 'x', '--role', 'boss']],
      [/no access key NONE/, ['key', 'remove', 'NONE']],
      [/is the first one and cannot be removed/, ['project', 'remove', 'default']],
    ];
    const ended = await Promise.all(wrong.map(([, args]) => sluice(...args)));
    for (const [index, { code, stdout, stderr }] of ended.entries()) {
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, /^sluice: [^\n]+\n$/);
      assert.match(stderr, wrong[index]![0]);
    }
  });

  test('it works without the server too, and not without a catalog', async () => {
    await server.kill('SIGTERM');
    await json('user', 'set-password', CREDENTIALS.user, '--password', 'other');
    const config = join(server.dataDir, 'config.yaml');
    await writeFile(config, stringify({ ...FIRST_USER, password: CREDENTIALS.password }));
    const told = await sluice('user', 'set-password', CREDENTIALS.user, '--password', 'other', '--config', config);
    assert.deepEqual([told.code, told.stderr.split('\n').length], [0, 2]);
    assert.match(told.stderr, /^note: the configuration names the password of "alice"/);
    await server.restart();
    // As it says: the server's environment names the password, and wins.
    await server.client.login(CREDENTIALS);
    const nowhere = await runSluice(['user', 'list', '--data-dir', join(server.dataDir, 'nothing')]);
    assert.deepEqual([nowhere.code, nowhere.stdout], [1, '']);
    assert.match(nowhere.stderr, /^sluice: there is no \S+catalog\.db: start the server once[^\n]*\n$/);
  });
});

const FIRST_USER = { domain: CREDENTIALS.domain, user: CREDENTIALS.user };

describe('accounts of the configuration', { skip: ON_CLUSTER && 'its servers share a data directory' }, () => {
  test('a restart applies what has changed, and what is no longer named stays', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-accounts-'));
    const dataDir = join(folder, 'data');
    const user = { name: 'ada', password: 'first', role: 'admin' };
    const start = (accounts: unknown) => startServer({ dataDir, config: { accounts } });
    const project = { id: 'NORTH1', name: 'one' };
    let server = await start([{ domain: 'north', projects: [project], users: [user] }]);
    t.after(async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    });
    const caller = { projectId: 'NORTH1', projectName: 'one', domain: 'north', user: 'ada' };
    const list = (token: string) => server.client.call('GET', '/v2/NORTH1/streams', { token });
    const token = await server.client.login({ ...caller, password: 'first' });

    await server.stop();
    server = await start([{ domain: 'north', projects: [project], users: [{ ...user, role: 'operator' }] }]);
    expectJson(await list(token));
    expectError(await server.client.call('POST', '/v2/NORTH1/records', { token }), 403, 'DIS.4116');

    await server.stop();
    server = await start([{ domain: 'north', users: [{ ...user, password: 'second' }] }]);
    expectError(await list(token), 401, 'DIS.4114');
    await assert.rejects(server.client.login({ ...caller, password: 'first' }), /answered 401/);
    const second = await server.client.login({ ...caller, password: 'second' });

    await server.stop();
    server = await start([]);
    expectJson(await list(second));
    const catalog = await readFile(join(dataDir, 'catalog.db'), 'latin1');
    assert.equal(catalog.includes('second'), false, 'passwords are kept as hashes');
  });

  test('a server does not start with accounts that contradict the catalog', async (t) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-accounts-'));
    t.after(() => rm(dataDir, { recursive: true }));
    const accounts = [{ domain: 'north', users: [{ name: 'ada' }] }];
    const env = { SLUICE_ACCOUNTS: JSON.stringify(accounts) };
    const { code, stderr } = await failToStart({ dataDir, env });
    assert.equal(code, 1);
    assert.match(stderr, /^sluice: there is no domain "north": add a project to it first\n$/m);
  });
});
