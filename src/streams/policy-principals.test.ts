import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestCatalog, type TestCatalog } from '../../test/support/catalog.ts';
import { insertProject } from '../catalog/projects.ts';
import { insertUser } from '../catalog/users.ts';
import { isDomainError } from '../model/errors.ts';
import { domainIdOf } from '../model/principal.ts';
import { findPrincipal, resolvePrincipals, splitPrincipals } from './policy-principals.ts';

let catalog: TestCatalog;
after(() => catalog.close());
before(async () => {
  catalog = await openTestCatalog();
  for (const [id, domain] of [
    ['1', 'a'],
    ['2', 'a'],
    ['3', 'a.b'],
    ['4', 'a.b.c'],
  ] as const) {
    await insertProject(catalog.db, { id: `project${id}`, domain, name: `p${id}` }, 0);
  }
  for (const [id, domain, name] of [
    ['u1', 'a', 'b.d'],
    ['u2', 'a', 'x'],
    ['u3', 'a.b', 'd'],
    ['u4', 'a.b', 'c'],
    ['u5', 'ab', 'x'],
  ] as const) {
    await insertUser(catalog.db, { id, domain, name, passwordHash: '', role: 'user' }, 0);
  }
});

test('an account counts before a user, and a longer account before a shorter one', async () => {
  const meaning = async (name: string) => (await findPrincipal(catalog.db, name, false))?.principal;
  const all = (domain: string) => `${domainIdOf(domain)}.*`;
  const one = (domain: string, user: string) => `${domainIdOf(domain)}.${user}`;
  for (const [name, expected] of [
    ['*', '*'],
    ['a', all('a')],
    ['a.*', all('a')],
    ['a.b', all('a.b')],
    ['a.b.c', all('a.b.c')],
    ['a.b.c.*', all('a.b.c')],
    ['a.b.d', one('a.b', 'u3')],
    ['a.x', one('a', 'u2')],
    ['a.b.x', undefined],
    ['ab.x', undefined],
    ['a.', undefined],
    ['.x', undefined],
    ['', undefined],
    ['A', undefined],
    ['*.*', undefined],
  ] as const) {
    assert.equal(await meaning(name), expected, name);
  }
});

test('ids mean accounts that exist, and users of theirs', async () => {
  const id = domainIdOf('a.b');
  const meaning = (part: string) => findPrincipal(catalog.db, part, true);
  for (const part of [id, `${id}.*`]) {
    assert.deepEqual(await meaning(part), { principal: `${id}.*`, principalName: 'a.b.*' });
  }
  assert.deepEqual(await meaning(`${id}.u3`), { principal: `${id}.u3`, principalName: 'a.b.d' });
  for (const part of [
    `${id}.u2`,
    `${id}.`,
    `${id}x`,
    `${id}u3`,
    id.slice(1),
    id.toUpperCase(),
    'a.b',
    domainIdOf('z'),
  ]) {
    assert.equal(await meaning(part), undefined, part);
  }
});

test('a list is bounded before anybody is looked up, and names each of its members once', async () => {
  const refused = (error: unknown) => isDomainError(error, 'InvalidBody');
  assert.equal(splitPrincipals({ names: ' a , a.x ' }, 2).parts.join('|'), 'a|a.x');
  assert.throws(() => splitPrincipals({ names: 'a,a,a' }, 2), refused);
  for (const names of ['', ',', 'a,', ' ']) assert.throws(() => splitPrincipals({ names }, 2), refused, names);
  const found = await resolvePrincipals(catalog.db, { names: 'a.x,a,a.*,a.x' }, 10);
  assert.deepEqual(
    found.map(({ principalName }) => principalName),
    ['a.x', 'a'],
  );
  await assert.rejects(resolvePrincipals(catalog.db, { names: 'a,nobody' }, 10), refused);
});
