/** Three nodes over a real PostgreSQL: whatever is asked of which, at once, the answers are those of one server. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import Value from 'typebox/value';
import { AppChanges } from '../../src/apps/app-changes.ts';
import { AppFollower } from '../../src/apps/app-follower.ts';
import { AppRegistry } from '../../src/apps/app-registry.ts';
import { CheckpointWriter } from '../../src/apps/checkpoints/checkpoint-writer.ts';
import { createApp } from '../../src/apps/create-app.ts';
import { deleteApp } from '../../src/apps/delete-app.ts';
import { GroupCoordinator } from '../../src/apps/groups/group-coordinator.ts';
import { ensureFirstUser } from '../../src/auth/first-user.ts';
import { Passwords } from '../../src/auth/passwords.ts';
import { migrate } from '../../src/catalog/migrate.ts';
import { WHOLE_STREAM } from '../../src/catalog/metric-points.ts';
import { openPostgresCatalog } from '../../src/catalog/postgres/open.ts';
import { selectStreams } from '../../src/catalog/streams.ts';
import { joinPostgresCluster } from '../../src/cluster/postgres/postgres-cluster.ts';
import { MetricHistory } from '../../src/metrics/metric-history.ts';
import { minuteOf, TrafficMeter } from '../../src/metrics/traffic-meter.ts';
import { DomainError } from '../../src/model/errors.ts';
import { LimitsSchema, type Limits } from '../../src/model/limits.ts';
import type { Stream } from '../../src/model/stream.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { nodeFileSystem as fileSystem } from '../../src/platform/file-system.ts';
import { systemRandom as random } from '../../src/platform/random.ts';
import { createStream } from '../../src/streams/create-stream.ts';
import { deleteStream } from '../../src/streams/delete-stream.ts';
import { scaleStream } from '../../src/streams/scale-stream.ts';
import { addTag } from '../../src/streams/tags.ts';
import { takeChanges } from '../../src/take-changes.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { makePrincipal } from '../support/principal.ts';
import { streamNode } from '../support/stream-node.ts';
import { makeSettings } from '../support/streams.ts';

const PROJECT = 'project';
const ROUNDS = 8;

type Node = Awaited<ReturnType<typeof startNode>>;

let postgres: PostgresServer;
let nodes: [Node, Node, Node];
const recordLog = new MemoryLog(clock);
const failures: unknown[] = [];

before(async () => {
  postgres = await startPostgres();
  const url = await postgres.createDatabase();
  nodes = (await Promise.all(['one', 'two', 'three'].map((name) => startNode(name, url)))) as typeof nodes;
});
after(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await postgres.stop();
  assert.deepEqual(failures, []);
});

async function startNode(name: string, url: string) {
  const settings = { url, pool_size: 6, statement_timeout_ms: 20_000, connect_timeout_ms: 5000 };
  const onError = (error: unknown) => void failures.push(error);
  const catalog = await openPostgresCatalog({ settings, applicationName: name, clock, random, onIdleError: onError });
  await migrate(catalog.db);
  const { db } = catalog;
  const cluster = await joinPostgresCluster({
    ...{ db, name, clock, random, onError, connection: { connectionString: url } },
    ...{ version: '1', url: () => '', leaseMs: 5000 },
  });
  const limits = { ...(Value.Default(LimitsSchema, {}) as Limits), common_partitions: 10_000, tags_per_stream: 1000 };
  const traffic = new TrafficMeter(clock);
  const streams = streamNode({ catalog, clock, recordLog, cluster, onGone: (stream) => traffic.forget(stream) });
  const { registry } = streams;
  const apps = new AppRegistry();
  const groups = new GroupCoordinator({ db, apps, registry, clock, limits, shared: true });
  const { memory } = new AppFollower({ db, apps, clock, onError, onGone: (id) => groups.forget(id) });
  const gather = () => cluster.announce({ kind: 'metrics', key: '' });
  const metricHistory = new MetricHistory({ catalog, meter: traffic, clock, gather, onError });
  cluster.follow(
    takeChanges({
      streams: streams.memory,
      apps: memory,
      tasks: { read: async () => undefined } as never,
      storeMetrics: () => metricHistory.store(),
      onError,
    }),
  );
  return {
    ...{ catalog, cluster, recordLog, limits, random, clock, registry, apps, groups, traffic, metricHistory },
    streamChanges: streams.streamChanges,
    appChanges: new AppChanges({ db, cluster, memory }),
    checkpoints: new CheckpointWriter({ db, groups, clock }),
    onStreamDeleted: [],
    find: (stream: string) => registry.find(PROJECT, stream)!,
    async close() {
      await metricHistory.close();
      await cluster.close();
      await catalog.close();
    },
  };
}

/** The errors that were answered; any that is no refusal fails the test. */
async function refusalsOf(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const refusals: string[] = [];
  for (const result of await Promise.allSettled(calls)) {
    if (result.status === 'fulfilled') continue;
    if (!(result.reason instanceof DomainError)) throw result.reason;
    refusals.push(result.reason.kind);
  }
  return refusals;
}

const call = (clientId: string, streams: readonly string[]) => ({
  clientId,
  interest: { caller: makePrincipal(), names: streams, ids: [], pattern: undefined },
  accelerated: true,
  rebalanceTimeoutMs: undefined,
});

test('streams: an answered change is known everywhere, and changes at once are all there', async () => {
  const [a, b, c] = nodes;
  await createStream(a, PROJECT, makeSettings({ name: 'shared', partitionCount: 2 }));
  await scaleStream(b, b.find('shared'), 5);
  assert.equal(c.find('shared').partitions.filter(({ status }) => status === 'ACTIVE').length, 5);
  const tags = Array.from({ length: 30 }, (_, at) => ({ key: `k${at}`, value: '' }));
  await Promise.all(tags.map((tag, at) => addTag(nodes[at % 3]!, nodes[at % 3]!.find('shared'), tag)));
  const stored = await selectStreams(a.catalog.db);
  for (const node of nodes) assert.deepEqual([...node.registry.all()], stored);
  assert.equal(stored[0]!.tags.length, 30);

  const made = nodes.map((node) => createStream(node, PROJECT, makeSettings({ name: 'contended' })));
  assert.deepEqual(await refusalsOf(made), ['StreamExists', 'StreamExists']);
  const gone = nodes.map((node) => deleteStream(node, node.find('contended')));
  assert.deepEqual(await refusalsOf(gone), ['StreamNotFound', 'StreamNotFound']);
  for (const node of nodes) assert.equal(node.registry.find(PROJECT, 'contended'), undefined);
});

test('a group whose members come through three nodes at once: each partition is one member’s', async () => {
  const [a] = nodes;
  await createStream(a, PROJECT, makeSettings({ name: 'grouped', partitionCount: 20 }));
  await createApp(a, PROJECT, 'group');
  const clients = Array.from({ length: 24 }, (_, at) => `c${at}`);
  const through = (at: number) => nodes[at % 3]!.groups;
  const generations = new Map<string, number>();
  const assignments = new Map<string, readonly number[]>();
  for (let round = 0; round < 10; round += 1) {
    const states = await Promise.all(
      clients.map(async (client, at) => {
        const groups = through(at + round);
        const state = await groups.heartbeat(PROJECT, 'group', client, generations.get(client));
        if (state === 'JOINING') await groups.join(PROJECT, 'group', call(client, ['grouped']));
        if (state === 'STABLE') return state;
        const outcome = await groups.sync(PROJECT, 'group', client);
        if (outcome.state !== 'OK') return state;
        generations.set(client, outcome.generation);
        assignments.set(client, outcome.assignment['grouped'] ?? []);
        return state;
      }),
    );
    if (states.every((state) => state === 'STABLE')) break;
    assert.ok(round < 9, 'settled within ten heartbeats');
  }
  assert.equal(new Set(generations.values()).size, 1);
  const given = [...assignments.values()].flat().sort((x, y) => x - y);
  assert.deepEqual(given, [...Array(20).keys()]);

  const stream = a.find('grouped');
  const app = a.apps.require(PROJECT, 'group');
  const commits = clients.map((clientId, at) => {
    const member = { clientId, generation: generations.get(clientId) };
    const ref = { stream: stream.number, partition: 0 };
    return nodes[at % 3]!.checkpoints.commit({ app, stream, ref, sequence: at, metadata: '', member });
  });
  assert.equal((await refusalsOf(commits)).length, clients.length - 1, 'the owner’s alone is taken');
  assert.deepEqual(await refusalsOf([deleteApp(nodes[1], app)]), ['AppInUse']);
  await Promise.all(clients.map((client, at) => through(at).leave(PROJECT, 'group', client)));
  await deleteApp(nodes[1], app);
  for (const node of nodes) assert.equal(node.apps.find(PROJECT, 'group'), undefined);
});

test('what is committed and joined while apps and streams are deleted leaves nothing behind', async () => {
  const [a, b, c] = nodes;
  const { db } = a.catalog;
  const commit = async (node: Node, appName: string, stream: Stream, partition: number) => {
    const app = node.apps.find(PROJECT, appName);
    if (app === undefined) throw new DomainError('AppNotFound');
    const ref = { stream: stream.number, partition };
    await node.checkpoints.commit({ app, stream, ref, sequence: 1, metadata: '', member: undefined });
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    await createStream(a, PROJECT, makeSettings({ name: 'doomed', partitionCount: 8 }));
    for (const name of ['doomed', 'stays']) await createApp(b, PROJECT, `${name}${round}`);
    const stream = a.find('doomed');
    const app = c.apps.require(PROJECT, `doomed${round}`);
    const calls: Promise<unknown>[] = [];
    const begin = (made: Promise<unknown>) => {
      calls.push(made);
      made.catch(() => undefined); // Looked at in the end.
    };
    for (let partition = 0; partition < 8; partition += 1) {
      for (const name of ['doomed', 'stays'])
        begin(commit(nodes[partition % 2]!, `${name}${round}`, stream, partition));
      if (partition === 2) begin(deleteApp(c, app));
      if (partition === 4) begin(deleteStream(b, stream));
      // Time for some to be on their way.
      await new Promise((resolve) => setTimeout(resolve, round % 4));
    }
    for (const kind of await refusalsOf(calls)) assert.match(kind, /^(App|Stream)NotFound$/);
  }
  const rows = await db
    .selectFrom('checkpoints')
    .leftJoin('apps', 'apps.app_id', 'checkpoints.app_id')
    .leftJoin('streams', 'streams.number', 'checkpoints.stream')
    .where((where) => where.or([where('apps.app_id', 'is', null), where('streams.number', 'is', null)]))
    .selectAll('checkpoints')
    .execute();
  assert.deepEqual(rows, []);
});

test('who joins while the app is deleted is told that it is gone, or the app is in use', async () => {
  const [a, b, c] = nodes;
  await createStream(a, PROJECT, makeSettings({ name: 'joined' }));
  let inUse = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = `joined${round}`;
    await createApp(a, PROJECT, name);
    const joining = [b, c].map((node) => node.groups.join(PROJECT, name, call('x', ['joined'])));
    const refusals = await refusalsOf([deleteApp(a, a.apps.require(PROJECT, name))]);
    const states = (await Promise.all(joining)).map(({ state }) => state);
    if (refusals.length === 0) assert.deepEqual(states, ['GROUP_NOT_EXIST', 'GROUP_NOT_EXIST']);
    else {
      inUse += 1;
      assert.deepEqual(refusals, ['AppInUse']);
      assert.ok(states.includes('OK'));
    }
  }
  const left = await a.catalog.db.selectFrom('consumer_groups').select('app_id').execute();
  assert.ok(left.length <= inUse + 1, `${left.length} groups, ${inUse} apps in use`);
});

test('metrics: what every node has counted is in the answer of each, and nothing is counted twice', async () => {
  const [a] = nodes;
  await createStream(a, PROJECT, makeSettings({ name: 'counted', partitionCount: 3 }));
  const { number, partitions } = a.find('counted');
  const total = async (node: Node) => {
    const now = minuteOf(clock.now());
    const minutes = await node.metricHistory.read(number, WHOLE_STREAM, now - 10, now);
    return [...minutes.values()].reduce((sum, point) => sum + point.put_records, 0);
  };
  for (let round = 1; round <= 3; round += 1) {
    for (const { traffic } of nodes) {
      traffic.countPut(
        number,
        partitions.map((partition) => ({ partition, count: 1, dataBytes: 10 })),
        1,
      );
    }
    assert.deepEqual(await Promise.all(nodes.map(total)), [9 * round, 9 * round, 9 * round]);
  }
});

test('nodes that start at once make the first user once, and one of them shows it', async () => {
  const folders = await Promise.all(nodes.map(() => mkdtemp(join(tmpdir(), 'sluice-first-'))));
  const passwords = new Passwords({ random });
  try {
    const users = await Promise.all(
      nodes.map(({ catalog, cluster }, at) =>
        cluster.exclusive('first-user', () =>
          ensureFirstUser({
            ...{ db: catalog.db, dataDir: folders[at]!, passwords, random, clock, fileSystem },
            settings: { project_name: 'default' },
            shared: true,
          }),
        ),
      ),
    );
    assert.equal(users.filter(({ generated }) => generated !== undefined).length, 1);
    assert.equal(new Set(users.map(({ accessKey, projectId }) => `${accessKey} ${projectId}`)).size, 1);
    const files = await Promise.all(folders.map((folder) => readdir(folder)));
    assert.deepEqual(files.flat(), ['credentials.json']);
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true });
  }
});
