/** Permission entries over HTTP: who may be named, what they allow, what they forbid, and from when on. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Answer, Credentials, Target } from '../../support/api-client.ts';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';

export interface PolicyTarget extends Target {
  /** Two users of another account, in a project of theirs. */
  readonly guests: readonly [Credentials, Credentials];
  /** Most entries of a stream: small, since the tests fill a stream. */
  readonly limit: number;
}

interface Rule {
  readonly principal: string;
  readonly principal_name: string;
  readonly action_type: string;
  readonly effect: string;
}

export function runPoliciesConformance(getTarget: () => PolicyTarget): void {
  describe('policies', () => {
    const stream = `p${randomBytes(4).toString('hex')}`;
    let owner: DisClient;
    let bob: DisClient;
    let carol: DisClient;
    let id: string;
    let domain: string;
    let domainId: string;
    let limit: number;

    before(async () => {
      const target = getTarget();
      const [first, second] = target.guests;
      [owner, bob, carol] = await Promise.all([
        DisClient.login(target),
        DisClient.login(target, first),
        DisClient.login(target, second),
      ]);
      domain = first.domain;
      domainId = createHash('sha256').update(domain).digest('hex').slice(0, 32);
      limit = target.limit;
      await owner.createStream(stream);
      id = (await owner.describe(stream)).id;
    });
    after(async () => {
      await owner.deleteStream(stream);
      for (const dis of [owner, bob, carol]) dis.close();
    });

    const path = `/streams/${stream}/policies`;
    const rules = async (): Promise<Rule[]> => {
      const answer = await owner.call('GET', path);
      expectJson(answer);
      assert.equal(answer.json.stream_id, id);
      return answer.json.rules;
    };
    const request = (method: string, members: object) =>
      owner.call(method, path, { body: { stream_id: id, action_type: 'getRecords', ...members } });
    const add = (principal_name: string, members: object = {}) =>
      request('POST', { principal_name, effect: 'accept', ...members });
    const addById = (principal_id: string, members: object = {}) =>
      owner.http.call('POST', `/v3/${owner.projectId}${path}`, {
        token: owner.token,
        body: { stream_id: id, principal_id, action_type: 'getRecords', ...members },
      });
    const remove = (principal_name: string, members: object = {}) => request('DELETE', { principal_name, ...members });

    beforeEach(async () => {
      for (const { principal, action_type, effect } of await rules()) {
        expectEmpty(await request('DELETE', { principal_id: principal, action_type, effect }), 200);
      }
      assert.deepEqual(await rules(), []);
    });

    const guestPut = (guest: DisClient): Promise<Answer> =>
      guest.call('POST', '/records', { body: { stream_id: id, records: [{ data: toBase64('x') }] } });
    const guestCursor = (guest: DisClient) =>
      guest.call('GET', '/cursors', {
        query: { 'stream-id': id, 'partition-id': '0', 'cursor-type': 'TRIM_HORIZON' },
      });
    const guestDescribe = (guest: DisClient) => guest.call('GET', '/streams', { query: { stream_id: id } });

    test('nobody is let in before an entry says so', async () => {
      for (const use of [guestPut, guestCursor, guestDescribe]) expectError(await use(bob), 400, 'DIS.4301');
    });

    test('each action is allowed for itself, by the id of the stream', async () => {
      expectEmpty(await add(domain, { action_type: 'putRecords' }), 200);
      expectJson(await guestPut(bob));
      expectError(await guestCursor(bob), 403, 'DIS.4116');
      expectError(await guestDescribe(bob), 403, 'DIS.4116');

      expectEmpty(await add(domain, { action_type: 'getRecords' }), 200);
      const cursor = (await guestCursor(bob)).json.partition_cursor as string;
      const got = await bob.get(cursor);
      expectJson(got);
      assert.equal(got.json.records.at(-1).data, toBase64('x'));

      expectEmpty(await add(domain, { action_type: 'getStreamInfo' }), 200);
      const described = await guestDescribe(bob);
      expectJson(described);
      assert.equal(described.json.stream_name, stream);
      expectJson(await bob.call('GET', `/streams/${id}`));
      expectJson(await bob.call('GET', '/streams/', { query: { stream_id: id, limit_partitions: 1 } }));
    });

    test('what is shared is never found by name, and nothing else of it is shared', async () => {
      for (const action_type of ['putRecords', 'getRecords', 'getStreamInfo']) {
        expectEmpty(await add('*', { action_type }), 200);
      }
      expectError(await bob.put(stream, [{ data: 'eA==' }]), 400, 'DIS.4301');
      expectError(await bob.call('GET', `/streams/${stream}`), 400, 'DIS.4301');
      expectError(await bob.call('GET', `/streams/${id}/policies`), 400, 'DIS.4301');
      expectError(await bob.call('DELETE', `/streams/${id}`), 400, 'DIS.4301');
      expectError(await bob.call('GET', `/streams/${id}/transfer-tasks`), 400, 'DIS.4301');
      const list = await bob.call('GET', '/streams');
      assert.ok(!(list.json.stream_names as string[]).includes(stream));
    });

    test('whom an entry can name', async () => {
      const bobName = `${domain}.${getTarget().guests[0].user}`;
      for (const [name, principal, lets] of [
        [domain, `${domainId}.*`, [bob, carol]],
        [`${domain}.*`, `${domainId}.*`, [bob, carol]],
        [bobName, undefined, [bob]],
        ['*', '*', [bob, carol]],
      ] as const) {
        expectEmpty(await add(name), 200);
        const [rule, ...others] = await rules();
        assert.deepEqual(others, []);
        assert.equal(rule?.principal_name, name);
        assert.match(rule.principal, /^(?:\*|[0-9a-f]{32}\.(?:\*|[0-9A-Za-z]+))$/);
        if (principal !== undefined) assert.equal(rule.principal, principal);
        assert.deepEqual([rule.action_type, rule.effect], ['getRecords', 'accept']);
        for (const guest of [bob, carol]) {
          if (lets.some((who) => who === guest)) expectJson(await guestCursor(guest));
          else expectError(await guestCursor(guest), 400, 'DIS.4301');
        }
        expectEmpty(await remove(name), 200);
        for (const guest of [bob, carol]) expectError(await guestCursor(guest), 400, 'DIS.4301');
      }
    });

    test('a list names several at once, each of them once', async () => {
      const [first, second] = getTarget().guests;
      expectEmpty(await add(` ${domain}.${first.user} ,${domain}.${second.user}, ${domain}.${first.user}`), 200);
      assert.deepEqual(
        (await rules()).map(({ principal_name }) => principal_name),
        [`${domain}.${first.user}`, `${domain}.${second.user}`],
      );
      expectEmpty(await remove(`${domain}.${second.user}`), 200);
      expectJson(await guestCursor(bob));
      expectError(await guestCursor(carol), 400, 'DIS.4301');
    });

    test('ids of accounts, in v3 and wherever names are taken', async () => {
      expectEmpty(await addById(domainId), 200);
      assert.deepEqual(await rules(), [
        { principal: `${domainId}.*`, principal_name: `${domain}.*`, action_type: 'getRecords', effect: 'accept' },
      ]);
      expectJson(await guestCursor(bob));
      const twin = await owner.http.call('GET', `/v3/${owner.projectId}${path}/`, { token: owner.token });
      assert.deepEqual(twin.json.rules, await rules());
      for (const wrong of ['0'.repeat(32), `${domainId}.nobody`, `${domainId}x`, domain]) {
        expectError(
          await addById(wrong),
          400,
          'DIS.4300',
          /^Request error\. \[principal_id\]\[.+\]\[does not exist\]$/,
        );
      }
      expectEmpty(await remove(domain), 200);
      assert.deepEqual(await rules(), []);
    });

    test('an effect that is left out: deny in v2, accept in v3 and when entries are removed', async () => {
      for (const effect of [undefined, null, '']) {
        expectEmpty(await add(domain, { effect }), 200);
        expectEmpty(await addById(domainId, { effect }), 200);
        assert.deepEqual(
          (await rules()).map((rule) => rule.effect),
          ['deny', 'accept'],
        );
        expectEmpty(await remove(domain, { effect }), 200);
        assert.deepEqual(
          (await rules()).map((rule) => rule.effect),
          ['deny'],
        );
        expectEmpty(await remove(domain, { effect: 'deny' }), 200);
      }
    });

    test('an entry that denies outweighs every one that accepts', async () => {
      const bobName = `${domain}.${getTarget().guests[0].user}`;
      expectEmpty(await add('*'), 200);
      expectEmpty(await add(bobName), 200);
      expectEmpty(await add(bobName, { effect: 'deny' }), 200);
      expectError(await guestCursor(bob), 403, 'DIS.4116');
      expectJson(await guestCursor(carol));
      expectEmpty(await remove(bobName, { effect: 'deny' }), 200);
      expectJson(await guestCursor(bob));
    });

    test('an entry that is revoked counts no more, at once, nor do cursors that were taken under it', async () => {
      expectEmpty(await add(domain), 200);
      const cursor = (await guestCursor(bob)).json.partition_cursor as string;
      expectJson(await bob.get(cursor));
      expectEmpty(await remove(domain), 200);
      expectError(await bob.get(cursor), 400, 'DIS.4217');
      expectEmpty(await add(domain), 200);
      expectJson(await bob.get(cursor));
    });

    test('adding what is there and removing what is not changes nothing', async () => {
      expectEmpty(await add(domain), 200);
      const [rule] = await rules();
      expectEmpty(await add(`${domain}.*`), 200);
      assert.deepEqual(await rules(), [rule]);
      expectEmpty(await remove(domain, { effect: 'deny' }), 200);
      expectEmpty(await remove(domain, { action_type: 'putRecords' }), 200);
      assert.deepEqual(await rules(), [rule]);
      for (let i = 0; i < 2; i += 1) expectEmpty(await remove(domain), 200);
      assert.deepEqual(await rules(), []);
    });

    test('a stream may have so many entries and no more', async () => {
      const combinations = ['putRecords', 'getRecords', 'getStreamInfo'].flatMap((action_type) =>
        ['accept', 'deny'].flatMap((effect) =>
          [domain, '*', ...getTarget().guests.map(({ user }) => `${domain}.${user}`)].map((name) => ({
            name,
            members: { action_type, effect },
          })),
        ),
      );
      for (const { name, members } of combinations.slice(0, limit)) expectEmpty(await add(name, members), 200);
      const [over] = combinations.slice(limit);
      assert.ok(over !== undefined);
      expectError(await add(over.name, over.members), 400, 'DIS.4308', /\[policies\]/);
      assert.equal((await rules()).length, limit);
      const [last] = combinations.slice(limit - 1);
      assert.ok(last !== undefined);
      expectEmpty(await add(last.name, last.members), 200);
      const list = (length: number) => Array.from({ length }, () => domain).join(',');
      expectEmpty(await remove(list(limit), combinations[0]?.members), 200);
      expectError(await remove(list(limit + 1)), 400, 'DIS.4300', /\[principal_name\]/);
    });

    test('bodies that are refused', async () => {
      for (const method of ['POST', 'DELETE']) {
        for (const [members, message] of [
          [{ stream_id: undefined }, /\[stream_id\]\[is missing\]/],
          [{ stream_id: 'x' }, /\[stream_id\]\[is not the id of the stream\]/],
          [{ stream_id: stream }, /\[stream_id\]/],
          [{ stream_id: 7 }, /\[stream_id\]/],
          [{ action_type: undefined }, /\[action_type\]/],
          [{ action_type: 'deleteStream' }, /\[action_type\]\[must be one of putRecords, getRecords, getStreamInfo\]/],
          [{ effect: 'perhaps' }, /\[effect\]\[must be one of accept, deny\]/],
          [{ principal_name: undefined }, /\[principal_name\]\[is missing\]/],
          [{ principal_name: '' }, /\[principal_name\]\[is missing\]/],
          [{ principal_name: 7 }, /\[principal_name\]/],
          [{ principal_name: 'nowhere' }, /\[principal_name\]\[nowhere\]\[does not exist\]/],
          [{ principal_name: 'nowhere.*' }, /\[does not exist\]/],
          [{ principal_name: `${domain}.nobody` }, /\[does not exist\]/],
          [{ principal_name: `${domain}.` }, /\[does not exist\]/],
          [{ principal_name: '*.*' }, /\[does not exist\]/],
          [{ principal_name: `${domain},` }, /\[must be names between commas\]/],
          [{ principal_name: `${domain},,*` }, /\[must be names between commas\]/],
        ] as const) {
          const answer = await request(method, { principal_name: domain, ...members });
          expectError(answer, 400, 'DIS.4300', message);
        }
        expectError(await owner.call(method, path), 400, 'DIS.4202');
        const body = { stream_id: id, principal_name: domain, action_type: 'getRecords' };
        expectError(await owner.call(method, '/streams/none/policies', { body }), 400, 'DIS.4301');
      }
      assert.deepEqual(await rules(), []);
    });

    test('entries go with their stream', async () => {
      await owner.createStream(`${stream}-b`);
      const { id: other } = await owner.describe(`${stream}-b`);
      const body = { stream_id: other, principal_name: '*', action_type: 'putRecords', effect: 'accept' };
      expectEmpty(await owner.call('POST', `/streams/${stream}-b/policies`, { body }), 200);
      await owner.deleteStream(`${stream}-b`);
      await owner.createStream(`${stream}-b`);
      assert.deepEqual((await owner.call('GET', `/streams/${stream}-b/policies`)).json.rules, []);
      await owner.deleteStream(`${stream}-b`);
    });
  });
}
