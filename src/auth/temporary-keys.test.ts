import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { makePrincipal } from '../../test/support/principal.ts';
import { systemRandom as random } from '../platform/random.ts';
import { TemporaryKeys } from './temporary-keys.ts';

test('a key is stored with the hash of its security token, and forgotten once it has expired', async () => {
  await using catalog = await openTestCatalog();
  const { db } = catalog;
  const clock = new ManualClock();
  const keys = new TemporaryKeys({ db, clock, random });
  const principal = makePrincipal();
  const key = await keys.issue(principal, 900);
  assert.equal(key.expiresAt, clock.now() + 900_000);
  assert.match(key.securityToken, /^[A-Za-z0-9_-]{128}$/);
  const rows = () => db.selectFrom('access_keys').selectAll().execute();
  assert.deepEqual(await rows(), [
    {
      access_key: key.accessKey,
      secret_key: key.secretKey,
      user_id: principal.userId,
      project_id: principal.projectId,
      created_at: clock.now(),
      security_token_hash: hash('sha256', key.securityToken),
      expires_at: key.expiresAt,
    },
  ]);
  await db
    .insertInto('access_keys')
    .values({ access_key: 'kept', secret_key: 's', user_id: 'u', project_id: 'p', created_at: 0 })
    .execute();
  clock.advance(899_999);
  assert.equal(await keys.purgeExpired(), 0);
  clock.advance(1);
  assert.equal(await keys.purgeExpired(), 1);
  assert.deepEqual(
    (await rows()).map(({ access_key }) => access_key),
    ['kept'],
  );
});
