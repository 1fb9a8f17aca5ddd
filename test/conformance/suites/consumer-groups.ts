/** Consumer groups over HTTP: call by call, and with members in the rhythm of the Kafka adapter. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, eventually } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import { GroupClient } from '../../support/group-client.ts';
import type { TwoProjects } from '../../support/two-projects.ts';

type Members = Readonly<Record<string, unknown>>;

/** The adapter's is 10 s. */
const HEARTBEAT_MS = 300;

/** The server's sessions must be a few seconds short, or what is about silence takes its time. */
export function runConsumerGroupsConformance(getTarget: () => TwoProjects): void {
  describe('consumer groups', () => {
    const prefix = `g${randomBytes(4).toString('hex')}`;
    const [four, three] = [`${prefix}-four`, `${prefix}-three`];
    const clients: GroupClient[] = [];
    let dis: DisClient;
    let other: DisClient;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      other = await DisClient.login(target, { projectId: target.otherProjectId });
      await dis.createStream(four, 4);
      await dis.createStream(three, 3);
    });
    after(async () => {
      for (const client of clients) await client.die();
      for (const stream of [four, three]) await dis.deleteStream(stream);
      dis.close();
      other.close();
    });

    const createGroup = async (name: string, at = dis) => {
      const group = `${prefix}-${name}`;
      expectEmpty(await at.call('POST', '/apps', { body: { app_name: group } }), 201);
      return group;
    };
    const join = (group: string, clientId: unknown, members: Members = { interestedStream: [four] }, at = dis) =>
      at.call('POST', `/apps/${group}/consumers/`, {
        body: { groupId: group, clientId, accelerateAssignEnabled: true, rebalanceTimeoutMs: 20_000, ...members },
      });
    const call = (group: string, client: string, what: 'heartbeats' | 'partitions', generation = -1, at = dis) =>
      at.call('POST', `/apps/${group}/consumers/${client}/${what}/`, {
        body: { groupId: group, clientId: client, generation },
      });
    const answers = async (answer: ReturnType<typeof join>, expected: unknown) => {
      expectJson(await answer);
      assert.deepEqual((await answer).json, expected);
    };
    const OK = { state: 'OK', subscription: [four], syncDelayedTimeMs: 0 };

    /** A member in the rhythm of the adapter. */
    const start = (group: string, clientId: string, interest: Members): GroupClient => {
      const client = new GroupClient({ dis, group, clientId, interest, heartbeatMs: HEARTBEAT_MS });
      clients.push(client);
      client.start();
      return client;
    };
    /** Waits until all members are stable in one generation and `wanted` (stream to partitions) is dealt out. */
    const settled = async (members: readonly GroupClient[], wanted: Readonly<Record<string, number>>) => {
      const isSettled = () => {
        if (members.some(({ assigned }) => assigned === undefined)) return false;
        if (new Set(members.map(({ generation }) => generation)).size > 1) return false;
        return Object.entries(wanted).every(([stream, count]) => {
          const given = members.flatMap(({ assigned }) => assigned?.[stream] ?? []);
          return given.length === count && new Set(given).size === count;
        });
      };
      await eventually('the group is settled', async () => isSettled());
      const totals = members.map(({ assigned = {} }) => Object.values(assigned).flat().length);
      assert.ok(Math.max(...totals) - Math.min(...totals) <= 1, `even: ${totals.join(' ')}`);
    };

    test('one member, call by call', async () => {
      const group = await createGroup('calls');
      await answers(call(group, 'a', 'heartbeats'), { state: 'JOINING' });
      await answers(call(group, 'a', 'partitions'), { state: 'REJOIN' });
      await answers(join(group, 'a'), OK);
      await answers(call(group, 'a', 'heartbeats'), { state: 'SYNCING' });
      const given = { state: 'OK', generation: 1, assignment: { [four]: [0, 1, 2, 3] } };
      await answers(call(group, 'a', 'partitions'), given);
      await answers(call(group, 'a', 'heartbeats', 1), { state: 'STABLE' });
      await answers(call(group, 'a', 'heartbeats', 0), { state: 'JOINING' });
      await answers(join(group, 'b'), OK);
      await answers(call(group, 'b', 'partitions'), { state: 'WAITING' });
      await answers(call(group, 'a', 'heartbeats', 1), { state: 'JOINING' });
      expectError(await dis.call('DELETE', `/apps/${group}`), 400, 'DIS.4331');
      for (const client of ['a', 'b', 'b']) {
        expectEmpty(await dis.call('DELETE', `/apps/${group}/consumers/${client}/`), 204);
      }
      expectEmpty(await dis.call('DELETE', `/apps/${group}`), 204);
    });

    test('a group that does not exist', async () => {
      const nobody = { state: 'GROUP_NOT_EXIST' };
      await answers(join(`${prefix}-none`, 'a'), nobody);
      for (const what of ['heartbeats', 'partitions'] as const) {
        await answers(call(`${prefix}-none`, 'a', what), nobody);
      }
      expectError(await dis.call('DELETE', `/apps/${prefix}-none/consumers/a`), 400, 'DIS.4332');
      const group = await createGroup('foreign', other);
      await answers(join(group, 'a'), nobody);
    });

    test('streams that are not there, and bodies that are none', async () => {
      const group = await createGroup('wrong');
      const wrong = { state: 'ERR_SUBSCRIPTION' };
      await answers(join(group, 'a', { interestedStream: [four, 'none'] }), wrong);
      await answers(join(group, 'a', { interestedStreamIdList: ['none'] }), wrong);
      await answers(join(group, 'a', { interestedStream: [], interestedStreamIdList: null, streamPattern: '' }), wrong);
      for (const streamPattern of ['(', '(?=a)', 'a++', '((a{999}){999}){999}', 'a'.repeat(257)]) {
        expectError(await join(group, 'a', { streamPattern }), 400, 'DIS.4300', /\[streamPattern\]/);
      }
      for (const clientId of ['', 'c'.repeat(257), 5, null, undefined]) {
        expectError(await join(group, clientId), 400, 'DIS.4300', /clientId/);
      }
      await answers(join(group, 'c'.repeat(256)), OK);
      expectError(await join(group, 'a', { interestedStream: four }), 400, 'DIS.4300', /interestedStream/);
      expectError(await join(group, 'a', { rebalanceTimeoutMs: -1 }), 400, 'DIS.4300', /rebalanceTimeoutMs/);
      for (const path of ['', '/a/heartbeats', '/a/partitions']) {
        expectError(await dis.call('POST', `/apps/${group}/consumers${path}`), 400, 'DIS.4202');
      }
      const evil = { streamPattern: '(a+)+(.*)*!', interestedStream: [four] };
      await answers(join(group, 'a', evil), OK);
    });

    test('a client id may be anything that fits into a path', async () => {
      const group = await createGroup('names');
      const clientId = 'consumer 1/ü%';
      await answers(join(group, clientId), OK);
      await answers(call(group, encodeURIComponent(clientId), 'partitions'), {
        state: 'OK',
        generation: 1,
        assignment: { [four]: [0, 1, 2, 3] },
      });
    });

    test('commits of members: of those that are online, outside of rounds, of the generation, of their partitions', async () => {
      const group = await createGroup('commits');
      const commit = (client: string, members: Members) =>
        dis.call('POST', '/checkpoints', {
          body: {
            app_name: group,
            checkpoint_type: 'LAST_READ',
            stream_name: four,
            partition_id: '0',
            sequence_number: '0',
            client_id: client,
            ...members,
          },
        });
      expectError(await commit('a', { generation_id: 1 }), 400, 'DIS.4702');
      await join(group, 'a');
      await call(group, 'a', 'partitions');
      expectEmpty(await commit('a', { generation_id: 1 }), 201);
      expectEmpty(await commit('a', {}), 201);
      expectError(await commit('a', { generation_id: 2 }), 400, 'DIS.4703');
      expectError(await commit('b', { generation_id: 1 }), 400, 'DIS.4702');
      expectError(await commit('a', { stream_name: three, generation_id: 1 }), 400, 'DIS.4703');
      await join(group, 'b');
      expectError(await commit('a', { generation_id: 1 }), 400, 'DIS.4701');
      expectError(await commit('b', { generation_id: 1 }), 400, 'DIS.4701');
      await join(group, 'a');
      for (const client of ['a', 'b']) await call(group, client, 'partitions');
      expectError(await commit('a', { generation_id: 1 }), 400, 'DIS.4703');
      expectError(await commit('b', { generation_id: 2 }), 400, 'DIS.4703', /not assigned/);
      expectEmpty(await commit('b', { generation_id: 2, partition_id: '2' }), 201);
      expectEmpty(await commit('', { partition_id: '3' }), 201);
    });

    test('a member by itself gets everything', async () => {
      const group = await createGroup('alone');
      const client = start(group, 'a', { interestedStream: [four, three], accelerateAssignEnabled: true });
      await settled([client], { [four]: 4, [three]: 3 });
      assert.deepEqual(client.assigned, { [four]: [0, 1, 2, 3], [three]: [0, 1, 2] });
      await client.leave();
    });

    test('two members started together share two streams in one round', async () => {
      const group = await createGroup('two');
      const members = ['a', 'b'].map((id) => start(group, id, { interestedStream: [four, three] }));
      await settled(members, { [four]: 4, [three]: 3 });
      assert.deepEqual(
        members.map(({ generation }) => generation),
        [1, 1],
      );
      for (const member of members) await member.leave();
    });

    test('five members come one after another, one leaves and one falls silent', async () => {
      const group = await createGroup('five');
      const interest = { streamPattern: `${prefix}-.*`, accelerateAssignEnabled: true };
      const members: GroupClient[] = [];
      for (const id of ['a', 'b', 'c', 'd', 'e']) {
        members.push(start(group, id, interest));
        await settled(members, { [four]: 4, [three]: 3 });
      }
      await members.pop()!.leave();
      await settled(members, { [four]: 4, [three]: 3 });
      await members.shift()!.die();
      await settled(members, { [four]: 4, [three]: 3 });
      for (const member of members) await member.leave();
    });

    test('a stream that is made, and one that is deleted, while members subscribe by pattern', async () => {
      const group = await createGroup('pattern');
      const interest = { streamPattern: `${prefix}-(four|new)`, accelerateAssignEnabled: true };
      const members = ['a', 'b'].map((id) => start(group, id, interest));
      await settled(members, { [four]: 4 });
      const created = `${prefix}-new`;
      await dis.createStream(created, 2);
      await settled(members, { [four]: 4, [created]: 2 });
      await dis.deleteStream(created);
      await eventually('the stream is forgotten', async () =>
        members.every(({ assigned }) => assigned !== undefined && assigned[created] === undefined),
      );
      await settled(members, { [four]: 4 });
      for (const member of members) await member.leave();
    });

    test('a stream of another project, by its id', async () => {
      const group = await createGroup('shared', other);
      const { id } = await dis.describe(three);
      const wish = { interestedStream: [], interestedStreamIdList: [id] };
      await answers(join(group, 'a', wish, other), { state: 'ERR_SUBSCRIPTION' });
      expectEmpty(
        await dis.call('POST', `/streams/${three}/policies`, {
          body: {
            stream_id: id,
            principal_name: `${getTarget().credentials.domain}.*`,
            action_type: 'getRecords',
            effect: 'accept',
          },
        }),
        200,
      );
      await answers(join(group, 'a', wish, other), { ...OK, subscription: [id] });
      const given = { state: 'OK', generation: 1, assignment: { [id]: [0, 1, 2] } };
      await answers(call(group, 'a', 'partitions', -1, other), given);
    });
  });
}
