import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openTestCatalog, type TestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { deleteAccessKey, insertAccessKey, selectAccessKeysOfUser } from '../catalog/access-keys.ts';
import { insertProject, selectProjectsOfDomain } from '../catalog/projects.ts';
import { selectUserByName } from '../catalog/users.ts';
import { nodeFileSystem as fileSystem } from '../platform/file-system.ts';
import { systemRandom as random } from '../platform/random.ts';
import { CREDENTIALS_FILE, forgetPassword, type Credentials } from './credentials-file.ts';
import { ensureFirstUser, FirstUserError, type FirstUserSettings } from './first-user.ts';
import { Passwords } from './passwords.ts';
import { Tokens } from './tokens.ts';

const passwords = new Passwords({ random, cost: { N: 16, r: 1, p: 1 } });
const clock = new ManualClock();
const NOTHING: FirstUserSettings = { project_name: 'default' };
const EVERYTHING = {
  project_id: '0123abcd',
  project_name: 'sales',
  domain: 'acme',
  user: 'ann',
  password: 'open sesame',
  access_key: 'AK',
  secret_key: 'SK',
};

class World {
  readonly catalog: TestCatalog;
  readonly dataDir: string;

  constructor(catalog: TestCatalog, dataDir: string) {
    this.catalog = catalog;
    this.dataDir = dataDir;
  }

  start(settings: FirstUserSettings, catalog = this.catalog, shared = false) {
    return ensureFirstUser({
      db: catalog.db,
      settings,
      dataDir: this.dataDir,
      passwords,
      random,
      clock,
      fileSystem,
      shared,
    });
  }

  async file(): Promise<Credentials> {
    return JSON.parse(await readFile(join(this.dataDir, CREDENTIALS_FILE), 'utf8')) as Credentials;
  }

  async opens(domain: string, name: string, password: string): Promise<boolean> {
    const user = await selectUserByName(this.catalog.db, domain, name);
    return passwords.verify(password, user?.passwordHash);
  }

  async keys(domain: string, name: string): Promise<string[]> {
    const user = await selectUserByName(this.catalog.db, domain, name);
    const keys = await selectAccessKeysOfUser(this.catalog.db, user!.id);
    return keys.map(({ accessKey, secretKey, projectId }) => `${accessKey} ${secretKey} ${projectId}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.catalog.close();
    await rm(this.dataDir, { recursive: true });
  }
}

async function newWorld(): Promise<World> {
  return new World(await openTestCatalog(), await mkdtemp(join(tmpdir(), 'sluice-first-user-')));
}

test('a first start makes everything up, shows it once, and keeps it for its owner alone', async () => {
  await using world = await newWorld();
  const first = await world.start(NOTHING);
  const shown = first.generated!;
  assert.match(shown.project_id!, /^[0-9a-f]{32}$/);
  assert.match(shown.password!, /^[A-Za-z0-9]{24}$/);
  assert.match(shown.access_key!, /^[A-Z0-9]{20}$/);
  assert.match(shown.secret_key!, /^[A-Za-z0-9]{40}$/);
  assert.deepEqual([shown.domain, shown.user, shown.project_name], ['sluice', 'admin', 'default']);
  assert.deepEqual(await world.file(), shown);
  assert.deepEqual(await readdir(world.dataDir), [CREDENTIALS_FILE]);
  assert.equal((await stat(join(world.dataDir, CREDENTIALS_FILE))).mode & 0o777, 0o600);
  assert.equal(await world.opens('sluice', 'admin', shown.password!), true);
  assert.deepEqual(await world.keys('sluice', 'admin'), [
    `${shown.access_key} ${shown.secret_key} ${shown.project_id}`,
  ]);

  const again = await world.start(NOTHING);
  assert.deepEqual(again, { ...first, generated: undefined });
  assert.deepEqual(await world.file(), shown);
});

test('what is configured is used, not shown and not written down', async () => {
  await using world = await newWorld();
  const first = await world.start(EVERYTHING);
  assert.equal(first.generated, undefined);
  assert.equal(await world.opens('acme', 'ann', 'open sesame'), true);
  assert.deepEqual(await world.keys('acme', 'ann'), ['AK SK 0123abcd']);
  const text = await readFile(join(world.dataDir, CREDENTIALS_FILE), 'utf8');
  assert.equal(/open sesame|SK/.test(text), false);

  await world.start(NOTHING_BUT_NAMES);
  assert.equal(await world.opens('acme', 'ann', 'open sesame'), true);
});

const NOTHING_BUT_NAMES: FirstUserSettings = { project_name: 'sales', domain: 'acme', user: 'ann' };

test('a configured password or key replaces the one before, and stays when it is configured no more', async () => {
  await using world = await newWorld();
  const { generated } = await world.start(NOTHING);
  const tokens = new Tokens({ db: world.catalog.db, clock, random, lifeSeconds: 60 });
  const user = (await selectUserByName(world.catalog.db, 'sluice', 'admin'))!;
  const [project] = await selectProjectsOfDomain(world.catalog.db, 'sluice');
  const { token } = await tokens.issue(user, project!);

  const rotated = await world.start({ ...NOTHING, password: 'new', access_key: 'AK2', secret_key: 'SK2' });
  assert.equal(rotated.generated, undefined);
  assert.equal(await world.opens('sluice', 'admin', 'new'), true);
  assert.equal(await world.opens('sluice', 'admin', generated!.password!), false);
  assert.deepEqual(await world.keys('sluice', 'admin'), [`AK2 SK2 ${project!.id}`]);
  assert.equal((await world.file()).password, undefined, 'the password that no longer opens is gone from the file');
  await assert.rejects(tokens.verify(token), { kind: 'TokenInvalid' });

  await world.start(NOTHING);
  assert.equal(await world.opens('sluice', 'admin', 'new'), true);
  assert.deepEqual(await world.keys('sluice', 'admin'), [`AK2 SK2 ${project!.id}`]);
});

test('an unchanged start revokes nothing', async () => {
  await using world = await newWorld();
  await world.start(EVERYTHING);
  const tokens = new Tokens({ db: world.catalog.db, clock, random, lifeSeconds: 60 });
  const user = (await selectUserByName(world.catalog.db, 'acme', 'ann'))!;
  const { token } = await tokens.issue(user, { id: '0123abcd', domain: 'acme', name: 'sales' });
  await world.start(EVERYTHING);
  await tokens.verify(token);
});

test('keys made later stay; the first one, once removed, comes back only when it is configured', async () => {
  await using world = await newWorld();
  const { db } = world.catalog;
  const { generated, projectId, accessKey } = await world.start(NOTHING);
  const { id: userId } = (await selectUserByName(db, 'sluice', 'admin'))!;
  // An older one by the clock, as after a change of the first one.
  await insertAccessKey(db, { accessKey: 'LATER', secretKey: 'S', userId, projectId }, 0);
  await world.start({ ...NOTHING, access_key: 'OWN', secret_key: 'SO' });
  assert.deepEqual(await world.keys('sluice', 'admin'), [`LATER S ${projectId}`, `OWN SO ${projectId}`]);
  assert.equal(accessKey, generated!.access_key);

  await deleteAccessKey(db, 'OWN');
  const without = await world.start(NOTHING);
  assert.deepEqual(await world.keys('sluice', 'admin'), [`LATER S ${projectId}`]);
  assert.equal(without.accessKey, undefined);
  assert.deepEqual([(await world.file()).access_key, (await world.file()).secret_key], [undefined, undefined]);

  await world.start({ ...NOTHING, access_key: 'LATER', secret_key: 'S2' });
  assert.deepEqual(await world.keys('sluice', 'admin'), [`LATER S2 ${projectId}`]);
});

test('a password that no longer opens can be taken out of the file', async () => {
  await using world = await newWorld();
  await world.start(NOTHING);
  const { password, ...rest } = await world.file();
  assert.notEqual(password, undefined);
  for (let i = 0; i < 2; i++) {
    await forgetPassword(fileSystem, world.dataDir);
    assert.deepEqual(await world.file(), rest);
  }
});

test('other names rename: the project keeps its id, the old user is gone', async () => {
  await using world = await newWorld();
  const { projectId, generated } = await world.start(NOTHING);
  const renamed = await world.start({ project_name: 'sales', domain: 'acme', user: 'ann' });
  assert.equal(renamed.projectId, projectId);
  assert.equal(await world.opens('acme', 'ann', generated!.password!), true);
  assert.equal(await selectUserByName(world.catalog.db, 'sluice', 'admin'), undefined);
  assert.deepEqual(await selectProjectsOfDomain(world.catalog.db, 'acme'), [
    { id: projectId, domain: 'acme', name: 'sales' },
  ]);
});

test('a name that another project has is refused, and nothing is changed', async () => {
  await using world = await newWorld();
  await world.start(NOTHING);
  await insertProject(world.catalog.db, { id: 'p2', domain: 'sluice', name: 'sales' }, 0);
  await assert.rejects(world.start({ project_name: 'sales', password: 'new' }), FirstUserError);
  assert.equal(await world.opens('sluice', 'admin', 'new'), false);
});

test('after a crash between file and catalog the next start takes up the file and shows it', async () => {
  await using world = await newWorld();
  // The first start wrote the file; its catalog is lost here, as if it had never been written.
  const { generated } = await world.start(NOTHING);
  await writeFile(join(world.dataDir, `${CREDENTIALS_FILE}.new`), '{"half');
  await using empty = await openTestCatalog();
  const again = await world.start(NOTHING, empty);
  assert.deepEqual(again.generated, generated);
  assert.equal((await world.start(NOTHING, empty)).generated, undefined);
});

test('without its file the catalog is enough', async () => {
  await using world = await newWorld();
  const { generated, projectId } = await world.start(NOTHING);
  await rm(join(world.dataDir, CREDENTIALS_FILE));
  const again = await world.start(NOTHING);
  assert.equal(again.projectId, projectId);
  assert.equal(again.generated, undefined);
  assert.deepEqual({ ...(await world.file()), password: generated!.password }, generated);
  assert.equal(await world.opens('sluice', 'admin', generated!.password!), true);
});

test('a damaged file stops the start and is left alone', async () => {
  await using world = await newWorld();
  for (const text of ['{"password":', '{"password": 1}', 'null']) {
    await writeFile(join(world.dataDir, CREDENTIALS_FILE), text);
    await assert.rejects(world.start(NOTHING), /credentials\.json/);
    assert.equal(await readFile(join(world.dataDir, CREDENTIALS_FILE), 'utf8'), text);
  }
});

test('what the catalog refuses leaves the file as it was', async () => {
  await using world = await newWorld();
  const { generated } = await world.start(NOTHING);
  const refused = { ...NOTHING, project_id: 'tour', password: 'new' };
  await assert.rejects(world.start(refused), FirstUserError);
  assert.deepEqual(await world.file(), generated);
  assert.equal(await world.opens('sluice', 'admin', generated!.password!), true);
});
