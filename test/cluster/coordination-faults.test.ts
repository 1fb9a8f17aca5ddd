/**
 * Nodes in processes of their own, killed, stopped, cut off and started again at random, and PostgreSQL with them. Whatever
 * happens, nobody works at what another one has taken over, and nobody believes what another one has changed since.
 *
 *     SLUICE_TEST_SEED=…       repeats a run
 *     SLUICE_CRASH_ROUNDS=…    faults
 */
import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { migrate } from '../../src/catalog/migrate.ts';
import { openPostgresCatalog } from '../../src/catalog/postgres/open.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { joinPostgresCluster } from '../../src/cluster/postgres/postgres-cluster.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { systemRandom as random } from '../../src/platform/random.ts';
import { eventually } from '../support/dis-client.ts';
import { openLink, type NetworkLink } from '../support/network-link.ts';
import { startPostgres, type PostgresServer } from '../support/postgres.ts';
import { seededFraction } from '../support/random.ts';
import { testRounds, testSeed } from '../support/seed.ts';

const LEASE_MS = 2000;
const ROUNDS = testRounds('SLUICE_CRASH_ROUNDS', 12);
const NAMES = Array.from({ length: 12 }, (_, at) => `work/${at}`);
const NODES = ['a', 'b', 'c'];

let postgres: PostgresServer;
let folder: string;
before(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'sluice-coordination-'));
});
after(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true });
});

/** A node that can be stopped, killed and cut off. */
class Victim {
  readonly name: string;
  readonly link: NetworkLink;
  readonly #url: string;
  #child: ChildProcess | undefined;

  constructor(name: string, link: NetworkLink, url: string) {
    this.name = name;
    this.link = link;
    this.#url = Object.assign(new URL(url), { port: String(link.port) }).href;
  }

  get beliefs(): string {
    return join(folder, this.name);
  }

  async start(): Promise<void> {
    const args = [this.#url, this.name, String(LEASE_MS), this.beliefs, NAMES.join(',')];
    this.#child = fork(join(import.meta.dirname, 'coordination-node.ts'), args);
    await once(this.#child, 'message');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#child!, 'exit');
    this.#child!.kill(signal);
    await ended;
  }
}

async function startVictims(url: string): Promise<Victim[]> {
  const { hostname: host, port } = new URL(url);
  const victims = [];
  for (const name of NODES) victims.push(new Victim(name, await openLink({ host, port: Number(port) }), url));
  await Promise.all(victims.map((victim) => victim.start()));
  return victims;
}

/** Changes the value again and again: [when every node had heard of it, value]. */
async function changeOn(cluster: Cluster, { db }: Catalog, until: AbortSignal): Promise<[number, number][]> {
  const told: [number, number][] = [];
  for (let value = 1; !until.aborted; value += 1) {
    try {
      const announced = await db.transaction().execute(async (transaction) => {
        await sql`update things set value = ${value}`.execute(transaction);
        return cluster.announceIn(transaction, { kind: 'stream', key: String(value) });
      });
      await cluster.settled(announced);
      told.push([Date.now(), value]);
    } catch {
      // PostgreSQL was away: whether the value is there nobody knows, and the next one is.
    }
    await setTimeout(20);
  }
  return told;
}

test('whatever happens to nodes, nobody does another one’s work or believes what is not so any more', async (t) => {
  const fraction = seededFraction(testSeed());
  const between = (low: number, high: number) => low + fraction() * (high - low);
  const one = <T>(list: readonly T[]): T => list[Math.floor(fraction() * list.length)]!;

  const url = await postgres.createDatabase();
  const settings = { url, pool_size: 4, statement_timeout_ms: 5000, connect_timeout_ms: 2000 };
  const catalog = await openPostgresCatalog({
    ...{ settings, applicationName: 'test', clock, random },
    onIdleError: () => {},
  });
  t.after(() => catalog.close());
  const { db } = catalog;
  await migrate(db);
  await sql`create table work (id bigserial, name text, epoch bigint, node text)`.execute(db);
  await sql`create table things (value bigint)`.execute(db);
  await sql`insert into things values (0)`.execute(db);
  await sql`create table takes (name text, epoch bigint, at bigint)`.execute(db);
  await sql`create function note() returns trigger language plpgsql as $$ begin
    insert into takes values (new.name, new.epoch, new.taken_at); return null; end $$`.execute(db);
  await sql`create trigger note after update on leases for each row when (new.epoch > old.epoch)
    execute function note()`.execute(db);

  const cluster = await joinPostgresCluster({
    ...{ db, connection: { connectionString: url }, name: 'test', version: '1', url: () => '', clock, random },
    leaseMs: LEASE_MS,
    onError: () => {},
  });
  t.after(() => cluster.close());
  // It is there for the changes alone: what it gets of the leases it gives back, and others wait for it a while.
  const names = NAMES.map((name) => ({ name }));
  await db.transaction().execute((transaction) => cluster.leases.add(transaction, names.map(({ name }) => name))); // prettier-ignore
  const victims = await startVictims(url);
  t.after(async () => {
    for (const victim of victims) await victim.end('SIGKILL');
    for (const { link } of victims) await link.close();
  });

  const over = new AbortController();
  const changing = changeOn(cluster, catalog, over.signal);
  const counts = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const victim = one(victims);
    const ms = between(0.2, 2.5) * LEASE_MS;
    const fault = one(['kill', 'stop', 'cut and resume', 'cut and forget', 'leave', 'postgres']);
    counts.set(fault, (counts.get(fault) ?? 0) + 1);
    process.stderr.write(`${fault} ${victim.name} ${Math.round(ms)} ms\n`);
    if (fault === 'kill') {
      await victim.end('SIGKILL');
      await setTimeout(ms);
      await victim.start();
    } else if (fault === 'stop') {
      victim.signal('SIGSTOP');
      await setTimeout(ms);
      victim.signal('SIGCONT');
    } else if (fault === 'leave') {
      await victim.end('SIGTERM');
      await victim.start();
    } else if (fault === 'postgres') {
      await postgres.kill('SIGKILL');
      await setTimeout(between(0, 0.3) * LEASE_MS);
      await postgres.start();
    } else {
      victim.link.cut();
      await setTimeout(ms);
      victim.link.mend(fault === 'cut and resume' ? 'resume' : 'forget');
    }
    await setTimeout(between(0, 1) * LEASE_MS);
  }

  const nodes = await eventually(
    'everybody is there and has a fair share',
    () => cluster.nodes().catch(() => []),
    (found) =>
      found.length === NODES.length + 1 && found.every(({ leases }) => leases.length === NAMES.length / found.length),
    30_000,
  );
  assert.deepEqual(nodes.map(({ name }) => name), [...NODES, 'test']); // prettier-ignore
  over.abort();
  const told = await changing;

  // The work at one lease goes by epochs, each of one node.
  const { rows: work } = await sql<{ name: string; epoch: number; node: string }>`
    select name, epoch, node from work order by id`.execute(db);
  const last = new Map<string, { epoch: number; node: string }>();
  for (const { name, epoch, node } of work) {
    const before = last.get(name) ?? { epoch: 0, node };
    assert.ok(
      epoch >= before.epoch,
      `${node} worked at ${name} as of ${epoch}, after ${before.node} as of ${before.epoch}`,
    );
    if (epoch === before.epoch) assert.equal(node, before.node);
    last.set(name, { epoch, node });
  }

  const { rows: takes } = await sql<{ name: string; epoch: number; at: number }>`select * from takes`.execute(db);
  const takenAt = new Map(takes.map(({ name, epoch, at }) => [`${name} ${epoch}`, at]));
  let beliefs = 0;
  for (const { name: node, beliefs: file } of victims) {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      const [what, at, name, epoch] = line.split(' ');
      beliefs += 1;
      if (what === 'held') {
        const next = takenAt.get(`${name} ${Number(epoch) + 1}`) ?? Infinity;
        assert.ok(Number(at) <= next, `${node} believed at ${at} to have ${name}, which was taken at ${next}`);
      } else if (what === 'value') {
        const known = told.findLast(([when]) => when < Number(at))?.[1] ?? 0;
        assert.ok(Number(name) >= known, `${node} believed ${name} at ${at}, when everybody had been told ${known}`);
      }
    }
  }
  t.diagnostic(
    `${[...counts].map(([fault, count]) => `${fault} ${count}`).join(', ')}; ` +
      `${work.length} commits, ${takes.length} leases taken, ${told.length} changes, ${beliefs} beliefs`,
  );
});
