/** What is particular to groups that any node answers for; the rest is group-coordinator.test.ts and group-model.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ONLY_SQLITE, openTestCatalog, type TestCatalog } from '../../../test/support/catalog.ts';
import { GroupRig, SESSION_MS } from '../../../test/support/group-rig.ts';
import { makeStream } from '../../../test/support/streams.ts';
import { deleteAppRows, reserveGenerations } from '../../catalog/apps.ts';
import { isDomainError } from '../../model/errors.ts';
import { decodeGroup, encodeGroup } from './group-state.ts';

const UNSAVED_MS = SESSION_MS / 10;

const rowOf = ({ db }: TestCatalog, rig: GroupRig) =>
  db.selectFrom('consumer_groups').selectAll().where('app_id', '=', rig.app.id).executeTakeFirst();

async function settled(catalog: TestCatalog): Promise<GroupRig> {
  const rig = await GroupRig.make(catalog, { nodes: 2 });
  for (const client of ['a', 'b', 'a']) {
    await rig.joined(client);
    rig.nextNode();
  }
  for (const client of ['a', 'b']) await rig.synced(client);
  return rig;
}

test('a group goes on through another node, and through one that has just started', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await settled(catalog);
  for (const turn of ['node', 'restart', 'node'] as const) {
    if (turn === 'node') rig.nextNode();
    else rig.restart();
    assert.equal(await rig.heartbeat('a', 2), 'STABLE');
    assert.deepEqual((await rig.synced('b')).assignment, { stream1: [2, 3] });
    await rig.requireOwner('a', 2, 0);
    assert.equal(await rig.onlineMembers(), 2);
  }
});

test('heartbeats write nothing but now and then that a member lives', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await settled(catalog);
  const { revision } = (await rowOf(catalog, rig))!;
  rig.clock.advance(UNSAVED_MS - 1);
  for (const client of ['a', 'b', 'a']) await rig.heartbeat(client, 2);
  assert.equal((await rowOf(catalog, rig))!.revision, revision);
  rig.clock.advance(1);
  await rig.heartbeat('a', 2);
  assert.equal((await rowOf(catalog, rig))!.revision, revision + 1);
  await rig.heartbeat('a', 2);
  assert.equal((await rowOf(catalog, rig))!.revision, revision + 1);
});

test('nobody is out whose heartbeats another node has answered, however often they come', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await settled(catalog);
  // Through one node alone, and the other one looks in the end.
  for (let passed = 0; passed < 2 * SESSION_MS; passed += 1000) {
    rig.clock.advance(1000);
    for (const client of ['a', 'b']) assert.equal(await rig.heartbeat(client, 2), 'STABLE');
  }
  rig.nextNode();
  rig.clock.advance(SESSION_MS - 1);
  assert.equal(await rig.heartbeat('a', 2), 'STABLE');
  assert.equal(await rig.onlineMembers(), 2);
});

test('silence: out after the session and what may be unsaved of it, not before', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await settled(catalog);
  rig.clock.advance(SESSION_MS + UNSAVED_MS - 1);
  await rig.heartbeat('a', 2);
  assert.equal(await rig.onlineMembers(), 2);
  rig.clock.advance(1);
  assert.equal(await rig.onlineMembers(), 1);
  await assert.rejects(rig.requireOwner('b', 2, 2), (error) => isDomainError(error, 'MemberGone'));
});

test('the clock of the catalog goes back: the time of the group does not', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await settled(catalog);
  rig.clock.jump(-3_600_000);
  assert.equal(await rig.heartbeat('a', 2), 'STABLE');
  await rig.leave('b');
  await rig.joined('a');
  assert.equal((await rig.synced('a')).generation, 3);
});

test('generations begin behind those that the app has had; a deleted app has no group', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await GroupRig.make(catalog, { nodes: 2 });
  await reserveGenerations(catalog.db, rig.app.id, 100);
  await rig.joined('a');
  assert.equal((await rig.synced('a')).generation, 101);
  await deleteAppRows(catalog.db, rig.app.id);
  assert.equal(await rowOf(catalog, rig), undefined);
  rig.nextNode();
  assert.deepEqual(await rig.join('b'), { state: 'GROUP_NOT_EXIST' });
  assert.equal(await rowOf(catalog, rig), undefined);
});

test('what is refused changes nothing', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const streams = [makeStream({ partitionCount: 2 })];
  const rig = await GroupRig.make(catalog, { nodes: 2, streams, limits: { group_members: 1 } });
  await rig.joined('a');
  const before = await rowOf(catalog, rig);
  await assert.rejects(rig.join('b'), (error) => isDomainError(error, 'TooManyConsumers'));
  assert.deepEqual(await rowOf(catalog, rig), before);
  assert.deepEqual((await rig.synced('a')).assignment, { stream1: [0, 1] });
});

test('the text of a group says all that it is', ONLY_SQLITE, async () => {
  await using catalog = await openTestCatalog();
  const rig = await settled(catalog);
  await rig.joined('c', { pattern: 'str.*', accelerated: false });
  const { state } = (await rowOf(catalog, rig))!;
  assert.equal(encodeGroup(decodeGroup(state)), state);
});
