import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupRig, SESSION_MS } from '../../../test/support/group-rig.ts';
import { makePrincipal } from '../../../test/support/principal.ts';
import { makeStream } from '../../../test/support/streams.ts';
import { isDomainError, type ErrorName } from '../../model/errors.ts';
import { domainIdOf } from '../../model/principal.ts';
import type { Stream } from '../../model/stream.ts';

const fails = (kind: ErrorName) => (error: unknown) => isDomainError(error, kind);

/** Brings members that are known, or new, to a settled generation; what each of them has. */
async function settle(rig: GroupRig, ...clients: string[]): Promise<Record<string, number[]>> {
  for (const client of clients) await rig.joined(client);
  const settled: Record<string, number[]> = {};
  for (const client of clients) settled[client] = (await rig.synced(client)).assignment['stream1'] ?? [];
  return settled;
}

test('the first member: told to join by its heartbeat, then everything is its own', async () => {
  await using rig = await GroupRig.open();
  assert.equal(await rig.heartbeat('a', -1), 'JOINING');
  assert.deepEqual(await rig.sync('a'), { state: 'REJOIN' });
  assert.deepEqual(await rig.join('a'), { state: 'OK', subscription: ['stream1'], syncDelayedTimeMs: 0 });
  assert.equal(await rig.heartbeat('a', -1), 'SYNCING');
  assert.deepEqual(await rig.sync('a'), { state: 'OK', generation: 1, assignment: { stream1: [0, 1, 2, 3] } });
  assert.equal(await rig.heartbeat('a', 1), 'STABLE');
  assert.equal(await rig.heartbeat('a', 0), 'JOINING');
  assert.equal(await rig.heartbeat('b', 1), 'JOINING');
});

test('who joins waits until all others have joined again, and their partitions are shared', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a');
  await rig.joined('b');
  assert.deepEqual(await rig.sync('b'), { state: 'WAITING' });
  assert.equal(await rig.heartbeat('b', -1), 'SYNCING');
  assert.deepEqual(await rig.sync('a'), { state: 'REJOIN' });
  assert.equal(await rig.heartbeat('a', 1), 'JOINING');
  await rig.joined('a');
  assert.deepEqual(await rig.sync('b'), { state: 'OK', generation: 2, assignment: { stream1: [2, 3] } });
  assert.deepEqual(await rig.sync('a'), { state: 'OK', generation: 2, assignment: { stream1: [0, 1] } });
  for (const client of ['a', 'b']) assert.equal(await rig.heartbeat(client, 2), 'STABLE');
});

test('a member that does not join again in time is out, and what it commits is refused', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a');
  await rig.joined('b', { streams: ['stream1'], rebalanceTimeoutMs: 5000 });
  rig.clock.advance(19_999);
  assert.deepEqual(await rig.sync('b'), { state: 'WAITING' }, 'the longest time that any member asked for counts');
  rig.clock.advance(1);
  assert.deepEqual((await rig.synced('b')).assignment, { stream1: [0, 1, 2, 3] });
  await assert.rejects(rig.requireOwner('a', 1, 0), fails('MemberGone'));
  assert.equal(await rig.heartbeat('a', 1), 'JOINING');
});

test('how long a round takes is bounded on both sides', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a');
  for (const [asked, taken] of [
    [1, 1000],
    [1001, 1001],
    [300_000, 300_000],
    [2 ** 40, 300_000],
  ] as const) {
    rig.restart();
    for (const client of ['a', 'b']) await rig.joined(client, { streams: ['stream1'], rebalanceTimeoutMs: asked });
    for (let passed = 0; passed + 10_000 < taken; passed += 10_000) {
      rig.clock.advance(10_000);
      assert.deepEqual(await rig.sync('b'), { state: 'WAITING' });
      await rig.heartbeat('a', 1);
    }
    rig.clock.advance((taken - 1) % 10_000);
    assert.deepEqual(await rig.sync('b'), { state: 'WAITING' });
    rig.clock.advance(1);
    assert.equal((await rig.sync('b')).state, 'OK');
  }
});

test('silence: a member is out after its session, not before, and the others share what it had', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a', 'b', 'a');
  const { generation } = await rig.synced('b');
  rig.clock.advance(SESSION_MS - 1);
  assert.equal(await rig.heartbeat('a', generation), 'STABLE');
  rig.clock.advance(1);
  assert.equal(await rig.heartbeat('a', generation), 'JOINING');
  assert.deepEqual(await settle(rig, 'a'), { a: [0, 1, 2, 3] });
  await assert.rejects(rig.requireOwner('b', generation, 2), fails('MemberGone'));
});

test('who is told to wait may be silent meanwhile', async () => {
  await using rig = await GroupRig.open({ limits: { group_session_seconds: 1 } });
  assert.equal(await rig.joined('a', { streams: ['stream1'], accelerated: false }), 3000);
  rig.clock.advance(3999);
  assert.equal((await rig.sync('a')).state, 'OK');
  rig.clock.advance(1000);
  assert.equal((await rig.sync('a')).state, 'REJOIN');
});

test('every call is a sign of life', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a', 'b', 'a');
  const { generation } = await rig.synced('b');
  for (const call of [
    () => rig.heartbeat('b', generation),
    () => rig.requireOwner('b', generation, 2),
    () => rig.sync('b'),
  ]) {
    rig.clock.advance(SESSION_MS - 1);
    await call();
    await rig.heartbeat('a', generation);
  }
  assert.equal(await rig.heartbeat('b', generation), 'STABLE');
});

test('leaving: the others learn it from their next heartbeat; who had nothing leaves without a trace', async () => {
  await using rig = await GroupRig.open({ streams: [makeStream({ partitionCount: 2 })] });
  for (const client of ['a', 'b', 'a', 'c', 'a', 'b']) await rig.joined(client);
  const { generation } = await rig.synced('a');
  for (const client of ['b', 'c']) await rig.sync(client);
  assert.deepEqual((await rig.synced('c')).assignment, {});
  await rig.leave('c');
  await rig.leave('c');
  assert.equal(await rig.heartbeat('a', generation), 'STABLE');
  await rig.leave('b');
  assert.equal(await rig.heartbeat('a', generation), 'JOINING');
  assert.deepEqual(await settle(rig, 'a'), { a: [0, 1] });
  await rig.leave('a');
  assert.equal(await rig.onlineMembers(), 0);
});

test('without acceleration a round waits for newcomers: three seconds after each, and not for ever', async () => {
  await using rig = await GroupRig.open();
  const wish = { streams: ['stream1'], accelerated: false };
  assert.equal(await rig.joined('a', wish), 3000);
  rig.clock.advance(2000);
  assert.equal(await rig.joined('b', wish), 3000);
  assert.equal(await rig.joined('b', wish), 3000, 'joining again is not new');
  rig.clock.advance(2999);
  assert.equal(await rig.joined('c', { ...wish, accelerated: true }), 3000, 'only all of them can do without');
  rig.clock.advance(2999);
  assert.deepEqual(await rig.sync('a'), { state: 'WAITING' });
  rig.clock.advance(1);
  assert.equal((await rig.synced('a')).generation, 1);

  // A round of members that are all known waits for nobody else.
  for (const client of ['b', 'c']) await rig.sync(client);
  await rig.leave('c');
  assert.equal(await rig.joined('a', wish), 0);
  assert.equal(await rig.joined('b', wish), 0);
  assert.equal((await rig.synced('a')).generation, 2);

  rig.restart();
  for (let member = 0; member < 6; member += 1) {
    await rig.joined(`m${member}`, wish);
    rig.clock.advance(2900);
  }
  assert.equal(await rig.joined('m6', wish), 2600, 'twenty seconds after the first one it is over');
  rig.clock.advance(2599);
  assert.deepEqual(await rig.sync('m6'), { state: 'WAITING' });
  rig.clock.advance(1);
  assert.equal((await rig.sync('m6')).state, 'OK');
});

test('commits: only of a member, outside of rounds, of its generation and of its own partitions', async () => {
  await using rig = await GroupRig.open();
  await assert.rejects(rig.requireOwner('a', 1, 0), fails('MemberGone'));
  await settle(rig, 'a', 'b', 'a');
  await rig.sync('b');
  await rig.requireOwner('a', 2, 0);
  await rig.requireOwner('a', undefined, 1);
  await assert.rejects(rig.requireOwner('a', 1, 0), fails('GenerationMismatch'));
  await assert.rejects(rig.requireOwner('a', 3, 0), fails('GenerationMismatch'));
  await assert.rejects(rig.requireOwner('a', 2, 2), fails('GenerationMismatch'));
  await assert.rejects(rig.requireOwner('a', undefined, 0, 2), fails('GenerationMismatch'));
  await assert.rejects(rig.requireOwner('c', 2, 0), fails('MemberGone'));
  await rig.joined('c');
  await assert.rejects(rig.requireOwner('a', 2, 0), fails('GroupRebalancing'));
});

test('a late sync, a lost answer and a second join of the same client', async () => {
  await using rig = await GroupRig.open();
  await rig.joined('a');
  await rig.joined('a');
  assert.equal((await rig.synced('a')).generation, 1, 'nothing was given out twice');
  assert.equal((await rig.synced('a')).generation, 1, 'a sync may be repeated');
  await rig.joined('b');
  await rig.joined('a');
  await rig.synced('b');
  await rig.leave('b');
  assert.deepEqual(await rig.sync('a'), { state: 'REJOIN' }, 'too late: another round has begun');
  await rig.joined('a');
  assert.equal((await rig.synced('a')).generation, 3);
  await rig.joined('a');
  assert.equal((await rig.synced('a')).generation, 4, 'a member that has what it wants and joins again wants a round');
  await rig.joined('a', { streams: ['stream1'], pattern: 'x' });
  await rig.joined('a');
  assert.equal((await rig.synced('a')).generation, 6, 'so does one that wants something else than before');
});

test('after a restart members are told to join again, and no generation comes twice', async () => {
  await using rig = await GroupRig.open();
  const seen = new Set<number>();
  for (let starts = 0; starts < 3; starts += 1) {
    for (let rounds = 0; rounds < 150; rounds += 1) {
      await rig.joined('a');
      const { generation } = await rig.synced('a');
      assert.ok(!seen.has(generation) && generation > Math.max(0, ...seen));
      seen.add(generation);
    }
    const last = Math.max(...seen);
    await rig.requireOwner('a', last, 0);
    rig.restart();
    await assert.rejects(rig.requireOwner('a', last, 0), fails('MemberGone'));
    assert.equal(await rig.heartbeat('a', last), 'JOINING');
    assert.deepEqual(await rig.sync('a'), { state: 'REJOIN' });
  }
});

test('calls that come at the same moment and use up the generations of a block', async () => {
  const wishes = [{ streams: ['stream1'] }, { pattern: '.*' }];
  for (const calls of [99, 100, 101, 102, 250]) {
    await using rig = await GroupRig.open();
    await Promise.all(Array.from({ length: calls }, (_, call) => rig.joined('a', wishes[call % 2])));
    assert.equal((await rig.synced('a')).generation, calls);
    rig.restart();
    await rig.joined('a');
    assert.ok((await rig.synced('a')).generation > calls, `after ${calls} calls`);
  }
});

test('quota: a member too many is refused, one that is known is not', async () => {
  await using rig = await GroupRig.open({ limits: { group_members: 2 } });
  await rig.joined('a');
  await rig.joined('b');
  await assert.rejects(rig.join('c'), fails('TooManyConsumers'));
  await rig.joined('a');
  await rig.leave('b');
  await rig.joined('c');
});

test('streams: by name, by id and by pattern, each under the word that the member used', async () => {
  const streams = ['orders-eu', 'orders-us', 'logs'].map((name, index) =>
    makeStream({ number: index + 1, name, partitionCount: 2 }),
  );
  await using rig = await GroupRig.open({ streams });
  const [{ id }] = streams as [Stream];
  const join = async (wish: object) => {
    assert.equal(await rig.joined('a', wish), 0);
    return (await rig.synced('a')).assignment;
  };
  assert.deepEqual(await join({ streams: ['logs', 'orders-us'] }), { logs: [0, 1], 'orders-us': [0, 1] });
  assert.deepEqual(await join({ ids: [id] }), { [id]: [0, 1] });
  assert.deepEqual(await join({ streams: ['orders-eu'], ids: [id] }), { 'orders-eu': [0, 1] });
  assert.deepEqual(await join({ pattern: 'orders-.*', streams: ['logs'] }), {
    logs: [0, 1],
    'orders-eu': [0, 1],
    'orders-us': [0, 1],
  });
  assert.deepEqual(await join({ pattern: 'nothing' }), {});
  assert.deepEqual(await rig.join('a', { pattern: 'orders-.*' }), {
    state: 'OK',
    subscription: ['orders-eu', 'orders-us'],
    syncDelayedTimeMs: 0,
  });
  for (const wish of [{ streams: ['logs', 'none'] }, { ids: ['none'] }, {}]) {
    assert.deepEqual(await rig.join('a', wish), { state: 'ERR_SUBSCRIPTION' });
    assert.equal(await rig.onlineMembers(), 0, 'a client that is told so gives up');
  }
});

test('streams of other accounts: by id, while they are shared', async () => {
  const shared = (action: 'getRecords' | 'putRecords', effect: 'accept' | 'deny' = 'accept') => {
    const principal = `${domainIdOf('acme')}.*`;
    return { principal, principalName: 'acme', action, effect } as const;
  };
  const foreign = makeStream({ number: 5, projectId: 'other', partitionCount: 2, policies: [shared('getRecords')] });
  const closed = makeStream({ number: 6, projectId: 'other', policies: [shared('putRecords')] });
  await using rig = await GroupRig.open({ streams: [foreign, closed] });
  await rig.joined('a', { ids: [foreign.id] });
  const { generation, assignment } = await rig.synced('a');
  assert.deepEqual(assignment, { [foreign.id]: [0, 1] });
  assert.deepEqual(await rig.join('b', { streams: [foreign.name] }), { state: 'ERR_SUBSCRIPTION' });
  await assert.rejects(rig.join('b', { ids: [closed.id] }), fails('NotPermitted'));
  const stranger = makePrincipal({ domain: 'elsewhere' });
  assert.deepEqual(await rig.join('b', { ids: [foreign.id], caller: stranger }), { state: 'ERR_SUBSCRIPTION' });

  rig.registry.add({ ...foreign, policies: [...foreign.policies, shared('getRecords', 'deny')] });
  assert.equal(await rig.heartbeat('a', generation), 'JOINING');
  await assert.rejects(rig.requireOwner('a', generation, 0, 5), fails('GroupRebalancing'));
  await assert.rejects(rig.join('a', { ids: [foreign.id] }), fails('NotPermitted'));
});

test('streams that are made, deleted, scaled or touched', async () => {
  const stream = makeStream({ partitionCount: 2 });
  await using rig = await GroupRig.open({ streams: [stream] });
  const byPattern = { pattern: 'stream.*' };
  await rig.joined('a', byPattern);
  await rig.sync('a');
  rig.registry.add({ ...stream, tags: [{ key: 'k', value: 'v' }] });
  rig.registry.add(makeStream({ number: 9, name: 'other' }));
  assert.equal(await rig.heartbeat('a', 1), 'STABLE', 'nothing that concerns the group');

  rig.registry.add(makeStream({ number: 2 }));
  assert.equal(await rig.heartbeat('a', 1), 'JOINING');
  rig.registry.add(makeStream({ number: 3 }));
  await rig.joined('a', byPattern);
  assert.deepEqual((await rig.synced('a')).assignment, { stream1: [0, 1], stream2: [0], stream3: [0] });

  const scaled = makeStream({ partitionCount: 3 });
  rig.registry.add(scaled);
  assert.deepEqual(await rig.sync('a'), { state: 'REJOIN' });
  await rig.joined('a', byPattern);
  assert.deepEqual((await rig.synced('a')).assignment['stream1'], [0, 1, 2]);
  const closed = { ...scaled.partitions[2]!, status: 'DELETED' as const, closedAt: rig.clock.now() };
  rig.registry.add({ ...scaled, partitions: [...scaled.partitions.slice(0, 2), closed] });
  assert.equal(await rig.heartbeat('a', 3), 'STABLE', 'a partition that takes no more records is still to be read');
  rig.registry.add({ ...scaled, partitions: [...scaled.partitions.slice(0, 2), { ...closed, status: 'EXPIRED' }] });
  assert.equal(await rig.heartbeat('a', 3), 'JOINING');
  await rig.joined('a', byPattern);
  assert.deepEqual((await rig.synced('a')).assignment['stream1'], [0, 1]);

  rig.registry.remove(stream);
  assert.equal(await rig.heartbeat('a', 4), 'JOINING');
  assert.equal((await rig.join('a', { streams: ['stream1'] })).state, 'ERR_SUBSCRIPTION');
});

test('a stream that appears while a round is open: who joined before has to join again', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a');
  await rig.joined('b', { pattern: '.*' });
  rig.registry.add(makeStream({ number: 2 }));
  assert.deepEqual(await rig.sync('b'), { state: 'REJOIN' }, 'a client reads from no stream that it was not told of');
  await rig.joined('a');
  assert.deepEqual(await rig.sync('a'), { state: 'WAITING' });
  await rig.joined('b', { pattern: '.*' });
  assert.deepEqual((await rig.synced('b')).assignment, { stream1: [2, 3], stream2: [0] });
});

test('an app that is not there, that is deleted, and that is made again', async () => {
  await using rig = await GroupRig.open();
  await settle(rig, 'a');
  assert.equal(await rig.onlineMembers(), 1);
  rig.apps.remove(rig.app.id);
  rig.coordinator.forget(rig.app.id);
  assert.deepEqual(await rig.join('a'), { state: 'GROUP_NOT_EXIST' });
  assert.deepEqual(await rig.sync('a'), { state: 'GROUP_NOT_EXIST' });
  assert.equal(await rig.heartbeat('a', 1), 'GROUP_NOT_EXIST');
  await assert.rejects(rig.leave('a'), fails('AppNotFound'));
  // In the registry, not in the catalog: the row went while the member waited.
  rig.apps.add({ ...rig.app, id: 'gone' });
  const joining = rig.join('a');
  rig.apps.remove('gone');
  assert.deepEqual(await joining, { state: 'GROUP_NOT_EXIST' });
});
