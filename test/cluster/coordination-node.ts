/**
 * A node of coordination-faults.test.ts, in a process of its own: works at whatever leases it has, keeps the value of
 * `things` in memory, and writes down what it believed when. Arguments: URL of PostgreSQL, its name, time of a lease in ms,
 * file of its beliefs, names of leases by comma.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { openPostgresCatalog } from '../../src/catalog/postgres/open.ts';
import type { Lease } from '../../src/cluster/cluster.ts';
import { joinPostgresCluster } from '../../src/cluster/postgres/postgres-cluster.ts';
import { systemClock as clock } from '../../src/platform/clock.ts';
import { systemRandom as random } from '../../src/platform/random.ts';

const [url, name, lease, file, leases] = process.argv.slice(2) as [string, string, string, string, string];
const leaseMs = Number(lease);
const names = leases.split(',');
const beliefs = openSync(file, 'a');

const isVerbose = process.env['SLUICE_TEST_VERBOSE'] !== undefined;
const complain = (error: unknown, what = 'work') => {
  if (isVerbose) process.stderr.write(`${name} ${what}: ${error instanceof Error ? error.message : String(error)}\n`);
};

const { db } = await openPostgresCatalog({
  settings: { url, pool_size: 4, statement_timeout_ms: 5000, connect_timeout_ms: 2000 },
  ...{ applicationName: name, clock, random, onIdleError: complain },
});
const join = () =>
  joinPostgresCluster({
    ...{ db, connection: { connectionString: url }, name, version: '1', url: () => '', leaseMs, clock, random },
    onError: complain,
  });
let cluster = await join().catch(complain);
while (cluster === undefined) cluster = await setTimeout(100).then(() => join().catch(complain));
const node = cluster;

let value = -1;
const read = async () => {
  const { rows } = await sql<{ value: number }>`select value from things`.execute(db);
  value = rows[0]!.value;
};
node.follow(read);
for (let isRead = false; !isRead; ) isRead = await read().then(() => true, () => setTimeout(100, false)); // prettier-ignore

const released = new Set<Promise<void>>();
node.leases.watch({
  taken() {},
  wanted(wanted) {
    const release = node.leases.release(wanted).catch(complain);
    released.add(release);
  },
  lost() {},
});
process.once('disconnect', () => process.exit(1));
process.send?.('ready');

let isOver = false;
process.once('SIGTERM', () => {
  isOver = true;
});

/** Looks, waits, and does some work if it may: as slow as it likes, it must not spoil what another one does. */
async function work(held: Lease): Promise<void> {
  await setTimeout(Math.random() * 30);
  await db.transaction().execute(async (transaction) => {
    if ((await node.leases.lost(transaction, [held])).size > 0) return;
    await setTimeout(Math.random() * 20);
    await sql`insert into work (name, epoch, node) values (${held.name}, ${held.epoch}, ${name})`.execute(transaction);
  });
}

const working = new Set<Promise<void>>();
while (!isOver) {
  for (const one of names) {
    // The time comes first: a process that is stopped in between has asked later than it says.
    const at = Date.now();
    const held = node.leases.held(one);
    if (held === undefined) continue;
    writeSync(beliefs, `held ${at} ${held.name} ${held.epoch}\n`);
    if (working.size >= 3) continue;
    const job = work(held).catch(complain);
    working.add(job);
    job.finally(() => working.delete(job)).catch(complain);
  }
  const at = Date.now();
  if (node.current) writeSync(beliefs, `value ${at} ${value}\n`);
  await setTimeout(10);
}
await Promise.all(working);
await node.close().catch(complain);
process.exit(0);
