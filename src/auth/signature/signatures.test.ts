import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, arrive, openSignatures, TEMPORARY_LIFE_MS, verify } from '../../../test/support/signatures.ts';
import { SIGNATURE_FAMILIES, type RequestSigner, type SigningHabits } from '../../../test/support/sign.ts';
import { deleteAccessKeysOfUser, insertAccessKey } from '../../catalog/access-keys.ts';
import { isDomainError, type ErrorName } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { KeyLookup } from './key-lookup.ts';
import type { Signatures } from './signatures.ts';

const LIST = { method: 'GET', path: '/v2/p1/streams', projectId: 'p1' };
const PUT = { method: 'POST', path: '/v2/p1/records/', projectId: 'p1', body: '{"é":1}' };

function signerAt(clock: Clock, members: Partial<RequestSigner> = {}): RequestSigner {
  const { permanent: accessKey, secretKey } = ACCOUNT;
  return { family: 'chained', accessKey, secretKey, date: new Date(clock.now()), ...members };
}

async function refuses(
  signatures: Signatures,
  kind: ErrorName,
  signer: RequestSigner,
  request = LIST,
  habits?: SigningHabits,
) {
  await assert.rejects(verify(signatures, arrive(signer, request, habits)), (error) => isDomainError(error, kind));
}

test('a signature of every family is its user, with the role of the user, in the project of the path', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  for (const family of SIGNATURE_FAMILIES) {
    const principal = await verify(signatures, arrive(signerAt(clock, { family }), PUT));
    const project = { projectId: 'p1', projectName: 'first' };
    assert.deepEqual(principal, { userId: 'u1', userName: 'ann', domain: 'd', role: 'operator', ...project });
    const other = await verify(signatures, arrive(signerAt(clock, { family }), { ...PUT, projectId: 'p2' }));
    assert.deepEqual([other.projectId, other.projectName], ['p2', 'second']);
    await refuses(signatures, 'SignatureWrong', signerAt(clock, { family, secretKey: 'other' }));
    for (const projectId of ['p3', 'p9', 'P1', '']) {
      await refuses(signatures, 'ProjectMismatch', signerAt(clock, { family }), { ...PUT, projectId });
    }
  }
});

test('every habit of the official clients is known, in every family', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const tricky = '/v2/p1/apps/a%20b*/?start_partitionId=&limit=1&Z=%2B+~*&label_list=b&label_list=%C3%A9&&';
  const habits: readonly SigningHabits[] = [
    {},
    { portlessHost: true },
    { bareEmptyNames: true, portlessHost: true },
    { doublyEncodedPath: true, collapsedSpaces: true },
    { signedHeaders: [] },
    { contentHash: true },
  ];
  for (const family of SIGNATURE_FAMILIES) {
    for (const habit of habits) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const request = { method, path: tricky, projectId: 'p1', body: 'é', headers: { 'X-Note': 'a \t b' } };
        await verify(signatures, arrive(signerAt(clock, { family }), request, habit));
      }
    }
    // The capitals of any other name are signed.
    const path = '/v2/p1/streams/s?start_partitionId=x&limit=1';
    await verify(signatures, arrive(signerAt(clock, { family }), { ...LIST, path }, { lowerCaseNames: true }));
    await refuses(
      signatures,
      'SignatureWrong',
      signerAt(clock, { family }),
      { ...LIST, path: '/v2/p1/streams?Limit=1' },
      { lowerCaseNames: true },
    );
  }
});

test('a wrong slash, plus sign, or encoding of the query is none of the habits', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  for (const [signed, sent] of [
    ['/a?x=1%202', '/a?x=1+2'],
    ['/a?x=1+2', '/a?x=1%202'],
    ['/a/b', '/a//b'],
    ['/a/b', '/a%2Fb'],
    ['/a?x=', '/a'],
    ['/a?x=1', '/a?x=1&x=1'],
  ] as const) {
    const { headers } = arrive(signerAt(clock), { ...LIST, path: signed });
    const arriving = { ...arrive(signerAt(clock), { ...LIST, path: sent }), headers };
    await assert.rejects(verify(signatures, arriving), (error) => isDomainError(error, 'SignatureWrong'), sent);
  }
});

test('the newest sources of the Java SDK derive their key with the word `region`, and only those of one family', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const habit: SigningHabits = { derivationRegion: 'region' };
  await verify(signatures, arrive(signerAt(clock, { family: 'derived-chained' }), PUT, habit));
  await refuses(signatures, 'SignatureWrong', signerAt(clock, { family: 'derived' }), PUT, habit);
  const other = { derivationRegion: 'regions' };
  await refuses(signatures, 'SignatureWrong', signerAt(clock, { family: 'derived-chained' }), PUT, other);
});

test('the skew is measured on the clock of the server, and the scope names the same day', async () => {
  await using rig = await openSignatures({ now: Date.UTC(2026, 0, 2, 0, 5, 0) });
  const { clock, signatures } = rig;
  const at = (ms: number) => signerAt(clock, { date: new Date(clock.now() + ms) });
  for (const ms of [-900_000, 900_000]) await verify(signatures, arrive(at(ms), LIST));
  for (const ms of [-901_000, 901_000]) await refuses(signatures, 'SignatureDateInvalid', at(ms));
  clock.advance(1);
  await refuses(signatures, 'SignatureDateInvalid', signerAt(clock, { date: new Date(clock.now() - 900_001) }));

  const yesterday = arrive(at(-600_000), LIST);
  assert.match(String(yesterday.headers.authorization), /\/20260101\//);
  await verify(signatures, yesterday);
  const moved = { ...yesterday.headers, 'x-sdk-date': '20260102T000400Z' };
  await assert.rejects(verify(signatures, { ...yesterday, headers: moved }), (error) =>
    isDomainError(error, 'SignatureDateInvalid'),
  );
});

test('region and service are checked', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const pinned = rig.make({ region: 'cn-north-1' });
  for (const family of ['chained', 'derived', 'derived-chained'] as const) {
    await verify(signatures, arrive(signerAt(clock, { family, region: 'anywhere' }), LIST));
    await verify(pinned, arrive(signerAt(clock, { family, region: 'cn-north-1' }), LIST));
    await verify(signatures, arrive(signerAt(clock, { family, service: 'iam' }), LIST));
    await refuses(pinned, 'RegionInvalid', signerAt(clock, { family, region: 'cn-north-2' }));
    await refuses(signatures, 'RegionInvalid', signerAt(clock, { family, region: '' }));
    for (const service of ['', 'obs', 'DIS']) {
      await refuses(signatures, 'ServiceNameMissing', signerAt(clock, { family, service }));
    }
  }
  await verify(pinned, arrive(signerAt(clock, { family: 'direct' }), LIST));
});

test('a signed header has to be there, and an object has nothing by nature', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  for (const name of ['x-none', 'constructor', '__proto__']) {
    await refuses(signatures, 'SignaturePartMissing', signerAt(clock), LIST, { signedHeaders: [name] });
  }
});

test('a thousand parameters are verified, more are not looked at', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const path = (pairs: number) => `/v2/p1/streams?${Array.from({ length: pairs }, (_, i) => `p${i}=`).join('&')}&&`;
  await verify(signatures, arrive(signerAt(clock), { ...LIST, path: path(1000) }));
  await refuses(signatures, 'InvalidRequest', signerAt(clock), { ...LIST, path: path(1001) });
});

test('X-Sdk-Content-Sha256 has to be the sum of the body; none is taken only where the config says so', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const lenient = rig.make({ unsignedPayload: true });
  const unsigned: SigningHabits = { contentHash: 'UNSIGNED-PAYLOAD' };
  await verify(lenient, arrive(signerAt(clock), PUT, unsigned));
  await refuses(signatures, 'SignatureWrong', signerAt(clock), PUT, unsigned);
  await refuses(signatures, 'SignatureWrong', signerAt(clock), LIST, unsigned);
  await refuses(lenient, 'SignatureWrong', signerAt(clock), PUT, { ...unsigned, signedHeaders: [] });

  // Said, but signed with the body all the same.
  const said = { ...PUT, headers: { 'X-Sdk-Content-Sha256': 'UNSIGNED-PAYLOAD' } };
  for (const each of [signatures, lenient]) await verify(each, arrive(signerAt(clock), said));

  const other = 'ab'.repeat(32);
  for (const contentHash of [other, 'x', 'STREAMING']) {
    for (const each of [signatures, lenient]) {
      await refuses(each, 'SignatureWrong', signerAt(clock), PUT, { contentHash });
    }
  }
});

test('a temporary key needs its token, signed or not, until both end', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const temporary = (securityToken?: string) =>
    signerAt(clock, { accessKey: ACCOUNT.temporary, ...(securityToken === undefined ? {} : { securityToken }) });
  for (const unsignedToken of [false, true]) {
    await verify(signatures, arrive(temporary(ACCOUNT.securityToken), PUT, { unsignedToken }));
    for (const wrong of [undefined, '', 'x', `${ACCOUNT.securityToken}=`]) {
      await refuses(signatures, 'SecurityTokenInvalid', temporary(wrong), PUT, { unsignedToken });
    }
    const permanent = (securityToken: string) => signerAt(clock, { securityToken });
    await verify(signatures, arrive(permanent(''), PUT, { unsignedToken }));
    await refuses(signatures, 'SecurityTokenInvalid', permanent(ACCOUNT.securityToken), PUT, { unsignedToken });
  }
  clock.advance(TEMPORARY_LIFE_MS - 1);
  await verify(signatures, arrive(temporary(ACCOUNT.securityToken), PUT));
  clock.advance(1);
  await refuses(signatures, 'AccessKeyInvalid', temporary(ACCOUNT.securityToken));
});

test('a path without a project leaves it to X-Project-Id, which must be signed, or to the key', async () => {
  await using rig = await openSignatures();
  const { clock, signatures } = rig;
  const inProject = (id: string) => ({
    method: 'POST',
    path: '/v1/transfertasklog/t',
    projectId: undefined,
    headers: { 'X-Project-Id': id },
  });
  const projectOf = async (id: string, habits?: SigningHabits) =>
    (await verify(signatures, arrive(signerAt(clock), inProject(id), habits))).projectId;
  assert.equal(await projectOf('p2'), 'p2');
  assert.equal(await projectOf(''), 'p1');
  await assert.rejects(projectOf('p3'), (error) => isDomainError(error, 'ProjectMismatch'));
  await assert.rejects(projectOf('p2', { signedHeaders: [] }), (error) => isDomainError(error, 'SignaturePartMissing'));
  const inPath = { ...inProject('p3'), projectId: 'p2' };
  assert.equal((await verify(signatures, arrive(signerAt(clock), inPath))).projectId, 'p2');
});

test('what the catalog said is believed for five seconds; a new key works at once', async () => {
  await using rig = await openSignatures();
  const { catalog, clock, signatures } = rig;
  const { db } = catalog;
  await refuses(signatures, 'AccessKeyInvalid', signerAt(clock, { accessKey: 'NEW' }));
  await insertAccessKey(db, { accessKey: 'NEW', secretKey: 's', userId: 'u1', projectId: 'p1' }, 0);
  const made = () => signerAt(clock, { accessKey: 'NEW', secretKey: 's' });
  await verify(signatures, arrive(made(), LIST));
  await deleteAccessKeysOfUser(db, 'u1');
  await db.deleteFrom('projects').execute();
  clock.advance(4999);
  await verify(signatures, arrive(made(), LIST));
  clock.advance(1);
  await refuses(signatures, 'AccessKeyInvalid', made());

  // A key that comes again with another secret has nothing left of the old one.
  await insertAccessKey(db, { accessKey: 'NEW', secretKey: 't', userId: 'u1', projectId: 'p1' }, 0);
  await refuses(signatures, 'SignatureWrong', made());
  await refuses(signatures, 'ProjectMismatch', signerAt(clock, { accessKey: 'NEW', secretKey: 't' }));
});

test('however many unknown keys come at once, the catalog answers one statement at a time', async () => {
  await using rig = await openSignatures();
  let running = 0;
  let most = 0;
  let statements = 0;
  const counted = rig.catalog.db.withPlugin({
    transformQuery: ({ node }) => {
      statements += 1;
      running += 1;
      most = Math.max(most, running);
      return node;
    },
    transformResult: async ({ result }) => {
      running -= 1;
      return result;
    },
  });
  const keys = new KeyLookup(counted, rig.clock);
  const ask = (from: number) => Array.from({ length: 600 }, (_, i) => keys.find(`KEY${from + i}`));
  const asked = ask(0);
  await new Promise(setImmediate);
  const known = await Promise.all([...asked, ...ask(600), keys.find(ACCOUNT.permanent), keys.find(ACCOUNT.permanent)]);
  assert.equal(known.filter((signer) => signer !== undefined).length, 2);
  assert.equal(most, 1);
  assert.equal(statements, 4);
  assert.equal(await keys.find('K'.repeat(257)), undefined);
  assert.equal(statements, 4);
});

test('a catalog that fails refuses those who asked and nobody after them', async () => {
  await using rig = await openSignatures();
  const { catalog, clock } = rig;
  let fails = true;
  const failing = catalog.db.withPlugin({
    transformQuery: ({ node }) => {
      if (fails) throw new Error('no catalog today');
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const signatures = rig.make({ db: failing });
  await assert.rejects(verify(signatures, arrive(signerAt(clock), LIST)), /no catalog today/);
  fails = false;
  await verify(signatures, arrive(signerAt(clock), LIST));
});
