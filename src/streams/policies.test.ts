import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openTestCatalog } from '../../test/support/catalog.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { insertProject } from '../catalog/projects.ts';
import { insertStream, selectStreams } from '../catalog/streams.ts';
import { isDomainError } from '../model/errors.ts';
import { streamNode } from '../../test/support/stream-node.ts';
import { makeStream } from '../../test/support/streams.ts';
import type { Limits } from '../model/limits.ts';
import { domainIdOf } from '../model/principal.ts';
import { addPolicies, removePolicies, type PolicyRequest } from './policies.ts';
import { StreamRegistry } from './stream-registry.ts';

async function setUp(t: TestContext) {
  const catalog = await openTestCatalog();
  t.after(() => catalog.close());
  await insertProject(catalog.db, { id: 'p', domain: 'globex', name: 'p' }, 0);
  const stream = await insertStream(catalog.db, { ...makeStream(), hashRanges: [{ low: 0n, high: 1n }] });
  assert.ok(stream !== undefined);
  const registry = new StreamRegistry([stream]);
  const limits = { policies_per_stream: 10 } as Limits;
  const { streamChanges } = streamNode({ catalog, registry });
  const deps = { catalog, streamChanges, limits, clock: new ManualClock() };
  const request = (names: string, more: Partial<PolicyRequest> = {}): PolicyRequest => ({
    streamId: stream.id,
    principals: { names },
    action: 'getRecords',
    effect: 'accept',
    ...more,
  });
  const stored = async () => (await selectStreams(catalog.db))[0]?.policies;
  const known = () => registry.byId(stream.id)?.policies;
  return { catalog, stream, deps, request, stored, known };
}

test('what the registry knows is what the catalog holds, after every change', async (t) => {
  const { deps, stream, request, stored, known } = await setUp(t);
  await addPolicies(deps, stream, request('globex'));
  await addPolicies(deps, stream, request('*', { effect: 'deny' }));
  const whole = {
    principal: `${domainIdOf('globex')}.*`,
    principalName: 'globex',
    action: 'getRecords',
    effect: 'accept',
  };
  const nobody = { principal: '*', principalName: '*', action: 'getRecords', effect: 'deny' };
  assert.deepEqual(known(), [whole, nobody]);
  assert.deepEqual(await stored(), known());
  await removePolicies(deps, stream, request('globex.*'));
  assert.deepEqual(known(), [nobody]);
  assert.deepEqual(await stored(), known());
});

test('an entry about an account that is gone can be removed by the name that it was added under', async (t) => {
  const { catalog, deps, stream, request, stored } = await setUp(t);
  await addPolicies(deps, stream, request('globex.*'));
  await catalog.db.deleteFrom('projects').execute();
  await assert.rejects(addPolicies(deps, stream, request('globex')), (error) => isDomainError(error, 'InvalidBody'));
  await assert.rejects(removePolicies(deps, stream, request('other')), (error) => isDomainError(error, 'InvalidBody'));
  await removePolicies(deps, stream, request('globex'));
  assert.deepEqual(await stored(), []);
});

test('a stream that was deleted meanwhile gets no entries', async (t) => {
  const { catalog, deps, stream, request } = await setUp(t);
  await catalog.db.deleteFrom('streams').execute();
  await assert.rejects(addPolicies(deps, stream, request('*')), (error) => isDomainError(error, 'StreamNotFound'));
  assert.deepEqual(await catalog.db.selectFrom('stream_policies').selectAll().execute(), []);
});
