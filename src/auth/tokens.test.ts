import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { insertProject } from '../catalog/projects.ts';
import { insertUser } from '../catalog/users.ts';
import { isDomainError } from '../model/errors.ts';
import { systemRandom as random } from '../platform/random.ts';
import { Tokens } from './tokens.ts';

const USER = { id: 'u1', domain: 'd', name: 'ann', passwordHash: '', role: 'admin' as const };
const PROJECT = { id: 'p1', domain: 'd', name: 'first' };
const LIFE_MS = 3_600_000;

const invalid = (error: unknown) => isDomainError(error, 'TokenInvalid');
const missing = (error: unknown) => isDomainError(error, 'TokenMissing');

async function setUp() {
  const catalog = await openTestCatalog();
  const clock = new ManualClock();
  const tokens = new Tokens({ db: catalog.db, clock, random, lifeSeconds: LIFE_MS / 1000 });
  await insertUser(catalog.db, USER, 0);
  await insertProject(catalog.db, PROJECT, 0);
  return { catalog, clock, tokens, [Symbol.asyncDispose]: () => catalog.close() };
}

test('an issued token is its principal, before and after a restart', async () => {
  await using context = await setUp();
  const { catalog, clock, tokens } = context;
  const { token, principal } = await tokens.issue(USER, PROJECT);
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(principal, {
    userId: 'u1',
    userName: 'ann',
    domain: 'd',
    projectId: 'p1',
    projectName: 'first',
    role: 'admin',
    issuedAt: clock.now(),
    expiresAt: clock.now() + LIFE_MS,
  });
  assert.deepEqual(await tokens.verify(token), principal);

  const again = await catalog.reopen();
  const restarted = new Tokens({ db: again.db, clock, random, lifeSeconds: 1 });
  assert.deepEqual(await restarted.verify(token), principal);
  await again.close();
});

test('the catalog holds nothing that lets its reader in', async () => {
  await using context = await setUp();
  const { token } = await context.tokens.issue(USER, PROJECT);
  const rows = JSON.stringify(await context.catalog.db.selectFrom('tokens').selectAll().execute());
  assert.equal(rows.includes(token), false);
  await assert.rejects(context.tokens.verify((JSON.parse(rows) as { hash: string }[])[0]!.hash), invalid);
});

test('what is no token of this server is refused', async () => {
  await using context = await setUp();
  const { tokens } = context;
  const { token } = await tokens.issue(USER, PROJECT);
  for (const none of [undefined, '']) await assert.rejects(tokens.verify(none), missing);
  const wrong = [
    'A'.repeat(43),
    token.slice(1),
    `${token}A`,
    ` ${token.slice(1)}`,
    `${token.slice(1)}\n`,
    `${token.slice(1)}\u00e9`,
    'A'.repeat(32_768),
    'A'.repeat(32_769),
  ];
  for (const text of wrong) {
    await assert.rejects(tokens.verify(text), invalid);
    assert.equal(tokens.cached(text), undefined);
    assert.equal(await tokens.revoke(text), false);
  }
});

test('a token is good until the moment at which it expires, remembered or not', async () => {
  await using context = await setUp();
  const { clock, tokens } = context;
  const { token } = await tokens.issue(USER, PROJECT);
  clock.advance(LIFE_MS - 1);
  await tokens.verify(token);
  assert.notEqual(tokens.cached(token), undefined);
  assert.equal(await tokens.purgeExpired(), 0);
  clock.advance(1);
  assert.equal(tokens.cached(token), undefined);
  await assert.rejects(tokens.verify(token), invalid);
  assert.equal(await tokens.purgeExpired(), 1);
});

test('a verified token is remembered for five seconds and not asked for meanwhile', async () => {
  await using context = await setUp();
  const { catalog, clock, tokens } = context;
  const { token, principal } = await tokens.issue(USER, PROJECT);
  assert.equal(tokens.cached(token), undefined);
  await tokens.verify(token);
  await catalog.db.deleteFrom('tokens').execute();
  clock.advance(4999);
  assert.deepEqual(tokens.cached(token), principal);
  assert.deepEqual(await tokens.verify(token), principal);
  clock.advance(1);
  assert.equal(tokens.cached(token), undefined);
  await assert.rejects(tokens.verify(token), invalid);
});

test('a revoked token is refused at once, also to those that were being verified', async () => {
  await using context = await setUp();
  const { tokens } = context;
  const { token } = await tokens.issue(USER, PROJECT);
  const { token: other } = await tokens.issue(USER, PROJECT);
  await tokens.verify(token);
  assert.equal(await tokens.revoke(token), true);
  assert.equal(tokens.cached(token), undefined);
  await assert.rejects(tokens.verify(token), invalid);
  assert.equal(await tokens.revoke(token), false);

  // The answer is read before the revocation: it may be given, but not remembered.
  const verifying = tokens.verify(other);
  await tokens.revoke(other);
  await verifying;
  assert.equal(tokens.cached(other), undefined);
  await assert.rejects(tokens.verify(other), invalid);
});

test('all tokens of a user can be revoked', async () => {
  await using context = await setUp();
  const { token } = await context.tokens.issue(USER, PROJECT);
  await context.tokens.verify(token);
  await context.tokens.revokeAllOf('someone else');
  await context.tokens.verify(token);
  await context.tokens.revokeAllOf('u1');
  await assert.rejects(context.tokens.verify(token), invalid);
});
