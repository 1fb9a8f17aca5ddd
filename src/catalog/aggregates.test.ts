import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { deleteAccessKeysOfUser, insertAccessKey, selectAccessKeysOfUser, selectSigners } from './access-keys.ts';
import { ensureSecret, insertMetaIfAbsent, putMeta, selectMeta } from './meta.ts';
import {
  insertProject,
  renameProject,
  selectProject,
  selectProjectByName,
  selectProjectsOfDomain,
} from './projects.ts';
import { deleteExpiredTokens, deleteToken, deleteTokensOfUser, insertToken, selectToken } from './tokens.ts';
import { isUniqueViolation } from './unique-violation.ts';
import { insertUser, renameUser, selectUser, selectUserByName, updatePasswordHash } from './users.ts';

const USER = { id: 'u1', domain: 'd', name: 'ann', passwordHash: 'h', role: 'admin' as const };
const PROJECT = { id: 'p1', domain: 'd', name: 'first' };
const TOKEN = { hash: 'aa', userId: 'u1', projectId: 'p1', issuedAt: 10, expiresAt: 20 };

test('users: stored, found by id and by name within their domain, renamed, given another hash', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  await insertUser(db, USER, 1);
  assert.deepEqual(await selectUser(db, 'u1'), USER);
  assert.deepEqual(await selectUserByName(db, 'd', 'ann'), USER);
  assert.equal(await selectUserByName(db, 'other', 'ann'), undefined);
  await assert.rejects(insertUser(db, { ...USER, id: 'u2' }, 1), isUniqueViolation);
  await insertUser(db, { ...USER, id: 'u2', domain: 'other' }, 1);

  await updatePasswordHash(db, 'u1', 'h2');
  await renameUser(db, 'u1', 'e', 'bob');
  assert.deepEqual(await selectUser(db, 'u1'), {
    id: 'u1',
    domain: 'e',
    name: 'bob',
    passwordHash: 'h2',
    role: 'admin' as const,
  });
});

test('projects: stored, found by id and by name within their domain, listed oldest first', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  await insertProject(db, { id: 'p2', domain: 'd', name: 'second' }, 2);
  await insertProject(db, PROJECT, 1);
  await insertProject(db, { id: 'p3', domain: 'e', name: 'first' }, 0);
  assert.deepEqual(await selectProject(db, 'p1'), PROJECT);
  assert.deepEqual(await selectProjectByName(db, 'e', 'first'), { id: 'p3', domain: 'e', name: 'first' });
  const ofDomain = await selectProjectsOfDomain(db, 'd');
  assert.deepEqual(
    ofDomain.map(({ id }) => id),
    ['p1', 'p2'],
  );
  await assert.rejects(renameProject(db, 'p1', 'd', 'second'), isUniqueViolation);
  await renameProject(db, 'p1', 'd', 'third');
  assert.equal((await selectProject(db, 'p1'))?.name, 'third');
});

test('access keys: stored, found, removed', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  const key = { accessKey: 'AK', secretKey: 'SK', userId: 'u1', projectId: 'p1' };
  await insertAccessKey(db, key, 1);
  assert.deepEqual(await selectAccessKeysOfUser(db, 'u1'), [key]);
  await assert.rejects(insertAccessKey(db, key, 1), isUniqueViolation);
  await deleteAccessKeysOfUser(db, 'u1');
  assert.deepEqual(await selectAccessKeysOfUser(db, 'u1'), []);
});

test('signers: several at once, with the user of today, none whose user is gone', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  await insertUser(db, USER, 1);
  const key = { accessKey: 'AK', secretKey: 'SK', userId: 'u1', projectId: 'p1' };
  const terms = { securityTokenHash: 'aa', expiresAt: 20 };
  await insertAccessKey(db, key, 1);
  await insertAccessKey(db, { ...key, accessKey: 'TMP' }, 1, terms);
  await insertAccessKey(db, { ...key, accessKey: 'LOST', userId: 'nobody' }, 1);
  await renameUser(db, 'u1', 'd', 'bob');
  const user = { userName: 'bob', domain: 'd', role: 'admin' };
  const found = await selectSigners(db, ['TMP', 'AK', 'LOST', 'NONE']);
  assert.deepEqual(
    found.toSorted((a, b) => (a.accessKey < b.accessKey ? -1 : 1)),
    [
      { ...key, ...user, securityTokenHash: null, expiresAt: null },
      { ...key, ...user, accessKey: 'TMP', ...terms },
    ],
  );
});

test('tokens: found with the names of today, deleted singly, by age and by user', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  await insertUser(db, USER, 1);
  await insertProject(db, PROJECT, 1);
  await insertToken(db, TOKEN);
  await insertToken(db, { ...TOKEN, hash: 'bb', expiresAt: 21 });
  await insertToken(db, { ...TOKEN, hash: 'cc', expiresAt: 22 });
  await insertToken(db, { ...TOKEN, hash: 'dd', userId: 'nobody', expiresAt: 22 });

  const fields = { userId: 'u1', projectId: 'p1', issuedAt: 10, expiresAt: 20 };
  const names = { userName: 'ann', domain: 'd', role: 'admin', projectName: 'first' };
  assert.deepEqual(await selectToken(db, 'aa'), { ...fields, ...names });
  assert.equal(await selectToken(db, 'dd'), undefined, 'its user is gone');

  assert.equal(await deleteExpiredTokens(db, 19), 0);
  assert.equal(await deleteExpiredTokens(db, 20), 1);
  assert.equal(await selectToken(db, 'aa'), undefined);
  assert.equal(await deleteToken(db, 'bb'), true);
  assert.equal(await deleteToken(db, 'bb'), false);
  await deleteTokensOfUser(db, 'u1');
  assert.equal(await selectToken(db, 'cc'), undefined);
  assert.equal((await db.selectFrom('tokens').selectAll().execute()).length, 1);
});

test('meta: the first value stays unless it is put; a secret is the same after a reopen', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  assert.equal(await selectMeta(db, 'a'), undefined);
  assert.equal(await insertMetaIfAbsent(db, 'a', '1'), '1');
  assert.equal(await insertMetaIfAbsent(db, 'a', '2'), '1');
  await putMeta(db, 'a', '3');
  assert.equal(await selectMeta(db, 'a'), '3');

  const secret = Buffer.alloc(32, 7);
  assert.deepEqual(await ensureSecret(db, 'cursor_key', secret), secret);
  const again = await catalog.reopen();
  assert.deepEqual(await ensureSecret(again.db, 'cursor_key', Buffer.alloc(32, 8)), secret);
  await again.close();
});
