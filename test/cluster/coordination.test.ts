/** Nodes over a real PostgreSQL: who is there, who holds what, and what everybody has heard. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { migrate } from '../../src/catalog/migrate.ts';
import { openPostgresCatalog } from '../../src/catalog/postgres/open.ts';
import type { Change, Cluster, Lease } from '../../src/cluster/cluster.ts';
import { joinPostgresCluster } from '../../src/cluster/postgres/postgres-cluster.ts';
import { systemClock, type Clock } from '../../src/platform/clock.ts';
import { systemRandom as random } from '../../src/platform/random.ts';
import { eventually } from '../support/dis-client.ts';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';

const LEASE_MS = 2000;

let postgres: PostgresServer;
before(async () => (postgres = await startPostgres()));
after(() => postgres.stop());

interface TestNode {
  readonly cluster: Cluster;
  readonly catalog: Catalog;
  readonly heard: (readonly Change[] | 'all')[];
  readonly lost: Lease[];
  /** Names of what it holds. */
  held(): string[];
}

interface TestCluster {
  readonly join: (name: string, clock?: Clock) => Promise<TestNode>;
  readonly names: readonly string[];
}

/** A database with `count` leases. */
async function setUp(t: TestContext, count = 12): Promise<TestCluster> {
  const url = await postgres.createDatabase();
  const names = Array.from({ length: count }, (_, at) => `work/${at}`);
  let isFirst = true;
  return {
    names,
    async join(name, clock = systemClock) {
      const catalog = await openPostgresCatalog({
        settings: { url, pool_size: 4, statement_timeout_ms: 10_000, connect_timeout_ms: 2000 },
        ...{ applicationName: name, clock: systemClock, random },
        onIdleError: () => {},
      });
      await migrate(catalog.db);
      const cluster = await joinPostgresCluster({
        ...{ db: catalog.db, connection: { connectionString: url }, name, version: '1', url: () => `http://${name}` },
        ...{ leaseMs: LEASE_MS, clock, random },
        onError: () => {},
      });
      const heard: (readonly Change[] | 'all')[] = [];
      const lost: Lease[] = [];
      cluster.follow(async (changes) => void heard.push(changes));
      cluster.leases.watch({
        taken() {},
        wanted: (leases) => void cluster.leases.release(leases).catch(() => undefined),
        lost: (leases) => void lost.push(...leases),
      });
      if (isFirst) await catalog.db.transaction().execute((transaction) => cluster.leases.add(transaction, names));
      isFirst = false;
      t.after(async () => {
        await cluster.close().catch(() => undefined);
        await catalog.close();
      });
      const held = () => names.filter((one) => cluster.leases.held(one) !== undefined);
      return { cluster, catalog, heard, lost, held };
    },
  };
}

const shares = (nodes: readonly TestNode[]) => nodes.map((node) => node.held().length);
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

test('leases are shared evenly as nodes come, and taken over when one leaves', async (t) => {
  const { join } = await setUp(t);
  const a = await join('a');
  await eventually(
    'one node has all',
    async () => shares([a]),
    ([one]) => one === 12,
  );
  const b = await join('b');
  const c = await join('c');
  const even = (found: number[]) => found.every((one) => one === 4);
  await eventually('three nodes have a third each', async () => shares([a, b, c]), even);
  await c.cluster.close();
  await eventually(
    'two nodes have half each',
    async () => shares([a, b]),
    (found) => found.every((one) => one === 6),
  );
  assert.deepEqual((await a.cluster.nodes()).map(({ name, leases }) => [name, leases.length]), [['a', 6], ['b', 6]]); // prettier-ignore
});

test('a node that is cut off loses its leases by its own clock, and what it still writes is refused', async (t) => {
  const { join } = await setUp(t);
  let frozen = false;
  // The process is stopped: its timers do not fire, and its clock goes on.
  const clock: Clock = {
    ...systemClock,
    after: (ms, callback) =>
      systemClock.after(ms, function fire() {
        if (frozen) systemClock.after(50, fire);
        else callback();
      }),
  };
  const a = await join('a', clock);
  await eventually(
    'it has all',
    async () => shares([a]),
    ([one]) => one === 12,
  );
  const before = a.held().map((name) => a.cluster.leases.held(name)!);
  frozen = true;
  const b = await join('b');
  await eventually(
    'the other has all',
    async () => shares([b]),
    ([one]) => one === 12,
  );
  assert.deepEqual(a.held(), [], 'it does not trust itself any more');
  assert.equal(a.cluster.current, false);
  const lost = await a.catalog.db.transaction().execute((transaction) => a.cluster.leases.lost(transaction, before));
  assert.equal(lost.size, 12);
  frozen = false;
  await eventually(
    'they share',
    async () => shares([a, b]),
    (found) => found.every((one) => one === 6),
  );
  assert.equal(a.cluster.current, true);
  assert.ok(a.heard.includes('all'), 'it is told to read everything again');
  assert.equal(a.lost.length, 12);
});

test('a lease is nobody else’s until the end of the transaction that has looked at it', async (t) => {
  const { join, names } = await setUp(t, 1);
  const a = await join('a');
  await eventually(
    'it has it',
    async () => shares([a]),
    ([one]) => one === 1,
  );
  const lease = a.cluster.leases.held(names[0]!)!;
  let released: Promise<void> | undefined;
  let isReleased = false;
  await a.catalog.db.transaction().execute(async (transaction) => {
    assert.equal((await a.cluster.leases.lost(transaction, [lease])).size, 0);
    released ??= a.cluster.leases.release([lease]).then(() => {
      isReleased = true;
    });
    await setTimeout(200);
    assert.equal(isReleased, false);
  });
  await released;
  const lost = await a.catalog.db.transaction().execute((transaction) => a.cluster.leases.lost(transaction, [lease]));
  assert.deepEqual([...lost], [lease.name]);
});

test('a change is answered when every live node has it, in order, and those that missed it are not current', async (t) => {
  const { join } = await setUp(t);
  const a = await join('a');
  const b = await join('b');
  for (let key = 0; key < 20; key += 1) {
    await (key % 2 === 0 ? a : b).cluster.announce({ kind: 'stream', key: String(key) });
    const heard = (key % 2 === 0 ? b : a).heard.flatMap((changes) => (changes === 'all' ? [] : changes));
    assert.equal(heard.at(-1)?.key, String(key));
  }
  const keys = a.heard.flatMap((changes) => (changes === 'all' ? [] : changes.map(({ key }) => Number(key))));
  assert.deepEqual(
    keys,
    Array.from({ length: 10 }, (_, at) => at * 2 + 1),
  );
});

test('one job of a name at a time, on all nodes together', async (t) => {
  const { join } = await setUp(t);
  const nodes = [await join('a'), await join('b')];
  let running = 0;
  let most = 0;
  const job = async () => {
    running += 1;
    most = Math.max(most, running);
    await setTimeout(20);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, (_, at) => nodes[at % 2]!.cluster.exclusive('job', job)));
  assert.equal(most, 1);
  await assert.rejects(
    nodes[0]!.cluster.exclusive('job', () => Promise.reject(new RangeError('on purpose'))),
    RangeError,
  );
  await nodes[1]!.cluster.exclusive('job', job);
});

test('a restart of PostgreSQL within the time of a lease costs nobody anything for good', async (t) => {
  const { join } = await setUp(t);
  const nodes = [await join('a'), await join('b')];
  const even = (found: number[]) => found.every((one) => one === 6);
  await eventually('they share', async () => shares(nodes), even);
  await postgres.kill('SIGKILL');
  await postgres.start();
  await eventually('they share again', async () => shares(nodes), even);
  await eventually('and hear of each other', async () => nodes[0]!.cluster.announce({ kind: 'app', key: 'x' }).then(() => true, () => false), Boolean); // prettier-ignore
  assert.ok(sum(nodes.map(({ heard }) => heard.length)) > 0);
});
