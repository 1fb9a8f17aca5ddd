import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestCatalog } from '../../../test/support/catalog.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { selectAccessKeysOfUser } from '../../catalog/access-keys.ts';
import { insertProject, selectProjectsOfDomain } from '../../catalog/projects.ts';
import { selectUserByName } from '../../catalog/users.ts';
import { isDomainError } from '../../model/errors.ts';
import { nodeFileSystem as fileSystem } from '../../platform/file-system.ts';
import { systemRandom as random } from '../../platform/random.ts';
import { ensureFirstUser } from '../first-user.ts';
import { Passwords } from '../passwords.ts';
import { TemporaryKeys } from '../temporary-keys.ts';
import { Tokens } from '../tokens.ts';
import { AccountError } from './account-error.ts';
import type { AccountSettings } from './account-settings.ts';
import { ensureAccounts } from './configured-accounts.ts';

const NORTH: AccountSettings = {
  domain: 'north',
  projects: [{ name: 'zeta' }, { id: '02', name: 'alpha' }],
  users: [
    {
      name: 'ada',
      password: 'secret',
      role: 'admin',
      access_keys: [
        { access_key: 'AK1', secret_key: 'S1' },
        { access_key: 'AK2', secret_key: 'S2', project: 'alpha' },
        { access_key: 'AK3', secret_key: 'S3', project: '02' },
      ],
    },
    { name: 'bot', role: 'user', access_keys: [] },
  ],
};
const [ADA, BOT] = NORTH.users as [AccountSettings['users'][0], AccountSettings['users'][0]];

async function setUp() {
  const catalog = await openTestCatalog();
  const { db } = catalog;
  const clock = new ManualClock();
  const passwords = new Passwords({ random, cost: { N: 16, r: 1, p: 1 } });
  const context = { db, clock, random, passwords };
  const user = async (name: string) => (await selectUserByName(db, 'north', name))!;
  return {
    context,
    ensure: (...accounts: AccountSettings[]) => ensureAccounts(context, accounts),
    user,
    opens: async (name: string, password: string) => passwords.verify(password, (await user(name)).passwordHash),
    keys: async (name: string) =>
      (await selectAccessKeysOfUser(db, (await user(name)).id)).map(
        ({ accessKey, secretKey, projectId }) => `${accessKey} ${secretKey} ${projectId}`,
      ),
    projects: () => selectProjectsOfDomain(db, 'north'),
    [Symbol.asyncDispose]: () => catalog.close(),
  };
}

test('accounts are made as configured; the project named first is the oldest, and the default of keys', async () => {
  await using world = await setUp();
  await world.ensure(NORTH);
  const [zeta, alpha] = await world.projects();
  assert.match(zeta!.id, /^[0-9a-f]{32}$/);
  assert.deepEqual([zeta!.name, alpha], ['zeta', { id: '02', domain: 'north', name: 'alpha' }]);
  assert.equal(await world.opens('ada', 'secret'), true);
  assert.deepEqual(await world.keys('ada'), [`AK1 S1 ${zeta!.id}`, 'AK2 S2 02', 'AK3 S3 02']);
  assert.deepEqual([(await world.user('ada')).role, (await world.user('bot')).role], ['admin', 'user']);
  for (const password of ['', 'secret']) assert.equal(await world.opens('bot', password), false);
});

test('a second start changes nothing and revokes nothing; what is configured no more stays', async () => {
  await using world = await setUp();
  await world.ensure(NORTH);
  const tokens = new Tokens({ ...world.context, lifeSeconds: 60 });
  const { token } = await tokens.issue(await world.user('ada'), (await world.projects())[0]!);
  const before = [await world.user('ada'), await world.user('bot'), await world.projects(), await world.keys('ada')];
  await world.ensure(NORTH);
  await world.ensure({ ...NORTH, projects: [], users: [{ ...ADA, access_keys: [] }] });
  await world.ensure();
  const after = [await world.user('ada'), await world.user('bot'), await world.projects(), await world.keys('ada')];
  assert.deepEqual(after, before);
  await tokens.verify(token);
});

test('changed values replace the stored ones, and a changed password ends tokens and temporary keys', async () => {
  await using world = await setUp();
  await world.ensure(NORTH);
  const { db } = world.context;
  const tokens = new Tokens({ ...world.context, lifeSeconds: 60 });
  const { token, principal } = await tokens.issue(await world.user('ada'), (await world.projects())[0]!);
  const { accessKey } = await new TemporaryKeys(world.context).issue(principal, 900);
  const temporary = () => db.selectFrom('access_keys').selectAll().where('access_key', '=', accessKey).execute();
  assert.equal((await temporary()).length, 1);

  await world.ensure({
    domain: 'north',
    projects: [{ id: '02', name: 'beta' }],
    users: [
      { ...ADA, password: 'other', role: 'operator', access_keys: [{ access_key: 'AK2', secret_key: 'new' }] },
      { ...BOT, password: 'set' },
    ],
  });
  const [zeta, beta] = await world.projects();
  assert.equal(beta!.name, 'beta');
  assert.equal(await world.opens('ada', 'other'), true);
  assert.equal(await world.opens('bot', 'set'), true);
  assert.equal((await world.user('ada')).role, 'operator');
  assert.deepEqual((await world.keys('ada'))[1], `AK2 new ${zeta!.id}`);
  await assert.rejects(tokens.verify(token), (error) => isDomainError(error, 'TokenInvalid'));
  assert.deepEqual(await temporary(), []);
});

test('what contradicts itself or the catalog is refused, and nothing of it is stored', async () => {
  await using world = await setUp();
  const { db } = world.context;
  await insertProject(db, { id: 'south1', domain: 'south', name: 'one' }, 0);
  await ensureAccounts(world.context, [
    { domain: 'south', projects: [], users: [{ ...BOT, access_keys: [{ access_key: 'TAKEN', secret_key: 's' }] }] },
  ]);
  const key = { access_key: 'K', secret_key: 's' };
  const wrong: [RegExp, AccountSettings][] = [
    [/there is no domain "north"/, { ...NORTH, projects: [] }],
    [/project south1 belongs to domain "south"/, { ...NORTH, projects: [{ id: 'south1', name: 'x' }] }],
    [/project "zeta" of domain "north" is there twice/, { ...NORTH, projects: [{ name: 'zeta' }, { name: 'zeta' }] }],
    [/project id p is there twice/, { ...NORTH, projects: ['a', 'b'].map((name) => ({ id: 'p', name })) }],
    [/user "bot" of domain "north" is there twice/, { ...NORTH, users: [BOT, BOT] }],
    [/access key K is there twice/, { ...NORTH, users: [{ ...BOT, access_keys: [key, key] }] }],
    [/no project "nix"/, { ...NORTH, users: [{ ...BOT, access_keys: [{ ...key, project: 'nix' }] }] }],
    [/no project "one"/, { ...NORTH, users: [{ ...BOT, access_keys: [{ ...key, project: 'one' }] }] }],
    [/TAKEN is another user’s/, { ...NORTH, users: [{ ...BOT, access_keys: [{ ...key, access_key: 'TAKEN' }] }] }],
  ];
  for (const [message, account] of wrong) {
    await assert.rejects(
      world.ensure(account),
      (error) => error instanceof AccountError && message.test(error.message),
      String(message),
    );
    assert.deepEqual([await world.projects(), await world.user('bot')], [[], undefined]);
  }
  await world.ensure(NORTH);
  const renumbered = world.ensure({ ...NORTH, projects: [{ id: 'other', name: 'alpha' }] });
  await assert.rejects(renumbered, /"alpha" of domain "north" has the id 02, not other/);
});

test('the first user and the first project are the business of their own keys', async (t) => {
  await using world = await setUp();
  const settings = { project_id: 'p1', project_name: 'first', domain: 'north', user: 'ada', password: 'p' };
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-accounts-'));
  t.after(() => rm(dataDir, { recursive: true }));
  await ensureFirstUser({ ...world.context, settings, dataDir, fileSystem, shared: false });
  await assert.rejects(world.ensure({ ...NORTH, projects: [] }), /"ada" of domain "north" is the first user/);
  const renamed = world.ensure({ domain: 'north', projects: [{ id: 'p1', name: 'x' }], users: [] });
  await assert.rejects(renamed, /project p1 is the first one/);
  await world.ensure({ domain: 'north', projects: [{ id: 'p1', name: 'first' }, { name: 'more' }], users: [BOT] });
  assert.equal((await world.projects()).length, 2);
});
