import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { insertProject } from '../catalog/projects.ts';
import { insertUser } from '../catalog/users.ts';
import { isDomainError, type ErrorName } from '../model/errors.ts';
import { domainIdOf } from '../model/principal.ts';
import { systemRandom as random } from '../platform/random.ts';
import { LoginLimiter } from './login-limiter.ts';
import { login, type LoginRequest, type LoginScope } from './login.ts';
import { Passwords } from './passwords.ts';
import { Tokens } from './tokens.ts';

const RIGHT: LoginRequest = { domain: 'd', user: 'ann', password: 'secret' };
const refusal = (kind: ErrorName) => (error: unknown) => isDomainError(error, kind);

async function setUp() {
  const catalog = await openTestCatalog();
  const { db } = catalog;
  const clock = new ManualClock();
  const passwords = new Passwords({ random, cost: { N: 16, r: 1, p: 1 } });
  const context = {
    db,
    passwords,
    tokens: new Tokens({ db, clock, random, lifeSeconds: 60 }),
    limiter: new LoginLimiter({ clock, failures: 3, windowSeconds: 300 }),
  };
  await insertUser(
    db,
    { id: 'u1', domain: 'd', name: 'ann', passwordHash: await passwords.hash('secret'), role: 'admin' as const },
    0,
  );
  await insertProject(db, { id: 'p2', domain: 'd', name: 'second' }, 2);
  await insertProject(db, { id: 'p1', domain: 'd', name: 'first' }, 1);
  await insertProject(db, { id: 'p3', domain: 'other', name: 'first' }, 0);
  return { catalog, clock, context, [Symbol.asyncDispose]: () => catalog.close() };
}

test('the project is taken by id, by name, or as the first of the domain', async () => {
  await using world = await setUp();
  const projectOf = async (scope?: LoginScope) => {
    const { token, principal } = await login(world.context, { ...RIGHT, scope }, 'a');
    assert.deepEqual(await world.context.tokens.verify(token), principal);
    return principal.projectId;
  };
  assert.equal(await projectOf(), 'p1');
  assert.equal(await projectOf({ domain: 'd' }), 'p1');
  assert.equal(await projectOf({ projectId: 'p2' }), 'p2');
  assert.equal(await projectOf({ projectName: 'second' }), 'p2');
  assert.equal(await projectOf({ projectName: 'first', domain: 'd' }), 'p1');
  assert.equal(await projectOf({ projectName: 'second', domainId: domainIdOf('d') }), 'p2');
  assert.equal(await projectOf({ domainId: domainIdOf('d') }), 'p1');
});

test('a project of another domain is refused as one that there is not', async () => {
  await using world = await setUp();
  const scopes: LoginScope[] = [
    { projectId: 'p3' },
    { projectId: 'nowhere' },
    { projectName: 'nowhere' },
    { projectName: 'first', domain: 'other' },
    { domain: 'other' },
    { domainId: domainIdOf('other') },
    { projectId: 'p1', domainId: 'd' },
  ];
  for (const scope of scopes) {
    await assert.rejects(login(world.context, { ...RIGHT, scope }, 'a'), refusal('NotPermitted'));
  }
});

test('a wrong password, an unknown user and an unknown domain are told alike', async () => {
  await using world = await setUp();
  for (const wrong of [{ password: 'Secret' }, { user: 'bob' }, { domain: 'other' }]) {
    await assert.rejects(login(world.context, { ...RIGHT, ...wrong }, JSON.stringify(wrong)), refusal('LoginFailed'));
  }
});

test('three failures block the address, even with the right password, until the window is over', async () => {
  await using world = await setUp();
  const { clock, context } = world;
  const wrong = { ...RIGHT, password: 'guess' };
  for (let i = 0; i < 2; i++) await assert.rejects(login(context, wrong, 'a'), refusal('LoginFailed'));
  await login(context, RIGHT, 'a');
  for (let i = 0; i < 3; i++) await assert.rejects(login(context, wrong, 'a'), refusal('LoginFailed'));
  await assert.rejects(login(context, RIGHT, 'a'), refusal('LoginBlocked'));
  await login(context, RIGHT, 'b');
  clock.advance(300_000);
  await login(context, RIGHT, 'a');
});

test('tries sent all at once are counted too', async () => {
  await using world = await setUp();
  const tries = Array.from({ length: 20 }, () => login(world.context, { ...RIGHT, password: 'guess' }, 'a'));
  const results = await Promise.allSettled(tries);
  const looked = results.filter((one) => one.status === 'rejected' && isDomainError(one.reason, 'LoginFailed'));
  assert.equal(looked.length, 3);
});
