import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestCatalog } from '../../../test/support/catalog.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { selectSigners } from '../../catalog/access-keys.ts';
import { selectUser } from '../../catalog/users.ts';
import { isDomainError } from '../../model/errors.ts';
import { nodeFileSystem as fileSystem } from '../../platform/file-system.ts';
import { systemRandom as random } from '../../platform/random.ts';
import { ensureFirstUser } from '../first-user.ts';
import { Passwords } from '../passwords.ts';
import { TemporaryKeys } from '../temporary-keys.ts';
import { Tokens } from '../tokens.ts';
import { AccountError } from './account-error.ts';
import { addKey, listKeys, removeKey } from './manage-keys.ts';
import { addProject, listProjects, removeProject } from './manage-projects.ts';
import { addUser, listUsers, removeUser, setPassword, setRole } from './manage-users.ts';

const FIRST = { project_id: 'p1', project_name: 'default', domain: 'acme', user: 'ann', password: 'open sesame' };

/** A catalog after a first start, whose second project `more` is in the first user's domain. */
async function setUp() {
  const catalog = await openTestCatalog();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-manage-'));
  const { db } = catalog;
  const clock = new ManualClock();
  const passwords = new Passwords({ random, cost: { N: 16, r: 1, p: 1 } });
  const context = { db, clock, random, passwords };
  await ensureFirstUser({ ...context, settings: FIRST, dataDir, fileSystem, shared: false });
  clock.advance(1);
  const more = await addProject(context, { name: 'more' });
  return {
    context,
    db,
    more,
    tokens: new Tokens({ ...context, lifeSeconds: 60 }),
    temporaryKeys: new TemporaryKeys(context),
    async [Symbol.asyncDispose]() {
      await catalog.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

type World = Awaited<ReturnType<typeof setUp>>;

const refused = (message: RegExp) => (error: unknown) => error instanceof AccountError && message.test(error.message);
const invalid = (error: unknown) => isDomainError(error, 'TokenInvalid');

/** A token, a temporary key and a key of a user in `more`. */
async function holdings({ context, db, more, tokens, temporaryKeys }: World, id: string, name: string) {
  const user = (await selectUser(db, id))!;
  const { token, principal } = await tokens.issue(user, more);
  const temporary = await temporaryKeys.issue(principal, 900);
  const { accessKey } = await addKey(context, { name, project: 'more' });
  // Verified by a server that has not seen it yet.
  const verify = () => new Tokens({ ...context, lifeSeconds: 60 }).verify(token);
  await verify();
  return { verify, has: async (key: string) => (await selectSigners(db, [key])).length > 0, temporary, accessKey };
}

test('users: added, listed, given passwords and roles, removed', async () => {
  await using world = await setUp();
  const { context, db } = world;
  const added = await addUser(context, { name: 'bob', role: 'user' });
  assert.match(added.generated!, /^[A-Za-z0-9]{24}$/);
  const opens = async (password: string) =>
    context.passwords.verify(password, (await selectUser(db, added.id))?.passwordHash);
  assert.equal(await opens(added.generated!), true);
  assert.deepEqual(await listUsers(db), [
    { ...(await listUsers(db))[0]!, domain: 'acme', name: 'ann', role: 'admin', first: true },
    { domain: 'acme', name: 'bob', role: 'user', id: added.id, first: false },
  ]);
  assert.deepEqual(await listUsers(db, 'elsewhere'), []);

  const told = await setPassword(context, { domain: 'acme', name: 'bob', password: 'mine' });
  assert.deepEqual(told, { domain: 'acme', generated: undefined, first: false });
  assert.equal(await opens('mine'), true);
  const made = await setPassword(context, { name: 'bob' });
  assert.equal(await opens(made.generated!), true);
  assert.equal((await setPassword(context, { name: 'ann' })).first, true);

  await setRole(context, { name: 'bob', role: 'operator' });
  assert.equal((await selectUser(db, added.id))?.role, 'operator');
  await removeUser(context, { name: 'bob' });
  assert.equal(await selectUser(db, added.id), undefined);
});

test('a new password ends tokens and temporary keys; a removal ends every key', async () => {
  await using world = await setUp();
  const { context } = world;
  const { id } = await addUser(context, { name: 'bob', role: 'user' });
  const first = await holdings(world, id, 'bob');
  await setRole(context, { name: 'bob', role: 'admin' });
  assert.equal((await first.verify()).role, 'admin');
  await setPassword(context, { name: 'bob' });
  await assert.rejects(first.verify(), invalid);
  assert.equal(await first.has(first.temporary.accessKey), false);
  assert.equal(await first.has(first.accessKey), true);

  const second = await holdings(world, id, 'bob');
  await removeUser(context, { name: 'bob' });
  await assert.rejects(second.verify(), invalid);
  for (const key of [first.accessKey, second.accessKey, second.temporary.accessKey]) {
    assert.equal(await second.has(key), false);
  }
});

test('what cannot be done to users is refused in words', async () => {
  await using world = await setUp();
  const { context } = world;
  await addUser(context, { name: 'bob', role: 'user' });
  await assert.rejects(addUser(context, { name: 'bob', role: 'admin' }), refused(/"bob" in domain "acme" already/));
  await assert.rejects(addUser(context, { name: 'a/b', role: 'user' }), refused(/user "a\/b": must be 1 to 64/));
  await assert.rejects(addUser(context, { name: 'x', role: 'user', domain: 'nix' }), refused(/no domain "nix"/));
  const nobody = refused(/no user "eve" in domain "acme"/);
  await assert.rejects(setPassword(context, { name: 'eve' }), nobody);
  await assert.rejects(setRole(context, { name: 'eve', role: 'user' }), nobody);
  await assert.rejects(removeUser(context, { name: 'eve' }), nobody);
  await assert.rejects(addKey(context, { name: 'eve' }), nobody);
  await assert.rejects(setRole(context, { name: 'ann', role: 'user' }), refused(/first user and stays an admin/));
  await assert.rejects(removeUser(context, { name: 'ann' }), refused(/first user and cannot be removed/));
});

test('keys: added to a project by name, by id or to the oldest, listed without secrets, removed', async () => {
  await using world = await setUp();
  const { context, db, more } = world;
  const oldest = await addKey(context, { name: 'ann' });
  assert.deepEqual([oldest.projectId, oldest.projectName, oldest.domain], ['p1', 'default', 'acme']);
  assert.match(oldest.accessKey, /^[A-Z0-9]{20}$/);
  assert.match(oldest.secretKey, /^[A-Za-z0-9]{40}$/);
  assert.equal((await selectSigners(db, [oldest.accessKey]))[0]?.secretKey, oldest.secretKey);
  for (const project of ['more', more.id]) {
    assert.equal((await addKey(context, { name: 'ann', project })).projectId, more.id);
  }
  await assert.rejects(addKey(context, { name: 'ann', project: 'nix' }), refused(/no project "nix" in domain "acme"/));
  const listed = await listKeys(db, { domain: 'acme', userName: 'ann' });
  assert.equal(listed.length, 4);
  assert.equal(JSON.stringify(listed).includes(oldest.secretKey), false);
  assert.deepEqual(await listKeys(db, { userName: 'bob' }), []);
  assert.deepEqual(await listKeys(db, { domain: 'nix' }), []);
  await removeKey(context, oldest.accessKey);
  await assert.rejects(removeKey(context, oldest.accessKey), refused(/no access key/));
  assert.equal((await listKeys(db, {})).length, 3);
});

test('projects: added, also with a new domain; listed with what is in them; removed with what is theirs', async () => {
  await using world = await setUp();
  const { context, db, more } = world;
  const north = await addProject(context, { domain: 'north', name: 'one', id: 'N1' });
  assert.deepEqual(north, { id: 'N1', domain: 'north', name: 'one' });
  assert.deepEqual(await listProjects(db), [
    { id: 'p1', domain: 'acme', name: 'default', streams: 0, apps: 0 },
    { ...more, streams: 0, apps: 0 },
    { ...north, streams: 0, apps: 0 },
  ]);
  const { id } = await addUser(context, { name: 'bob', role: 'user' });
  const held = await holdings(world, id, 'bob');
  await assert.rejects(
    removeProject(context, { nameOrId: 'more' }),
    refused(new RegExp(`is the project of access keys \\(${held.accessKey}\\)`)),
  );
  await removeKey(context, held.accessKey);
  await removeProject(context, { nameOrId: more.id });
  assert.equal(await held.has(held.temporary.accessKey), false);
  // Not only out of use: a new project of the same id would bring it back.
  assert.deepEqual(await db.selectFrom('tokens').selectAll().execute(), []);
  assert.equal((await listProjects(db, 'acme')).length, 1);
});

test('what cannot be done to projects is refused in words', async () => {
  await using world = await setUp();
  const { context, db, more } = world;
  const add = (project: Parameters<typeof addProject>[1]) => addProject(context, project);
  const remove = (nameOrId: string, domain?: string) => removeProject(context, { nameOrId, domain });
  await assert.rejects(add({ name: 'more' }), refused(/project "more" in domain "acme" already/));
  await assert.rejects(add({ name: 'x', id: more.id }), refused(/project with the id .* already/));
  await assert.rejects(add({ name: 'a b' }), refused(/project "a b": must be/));
  await assert.rejects(add({ name: 'x', id: 'a-b' }), refused(/project id "a-b": must be/));
  await assert.rejects(add({ name: 'x', domain: 'a.b' }), refused(/domain "a.b": must be/));
  await assert.rejects(remove('default'), refused(/is the first one and cannot be removed/));
  await assert.rejects(remove('nix'), refused(/no project "nix"/));

  const app = { app_id: 'a', project_id: more.id, name: 'a', created_at: 0, generation: 0 };
  await db.insertInto('apps').values(app).execute();
  await assert.rejects(remove('more'), refused(/has apps \(1\): delete them first/));
  await db.deleteFrom('apps').execute();

  await add({ domain: 'north', name: 'one' });
  await addUser(context, { domain: 'north', name: 'ada', role: 'admin' });
  await assert.rejects(remove('one', 'north'), refused(/last one of a domain with users/));
  await removeUser(context, { domain: 'north', name: 'ada' });
  await remove('one', 'north');
  await assert.rejects(remove('one', 'north'), refused(/no domain "north"/));
});
