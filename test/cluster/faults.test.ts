/**
 * Three nodes behind a balancer over three brokers, PostgreSQL with a standby and an S3 service, under load, while nodes,
 * brokers and PostgreSQL are killed, stopped, cut off, filled up and restarted at random. Whatever happens, nothing
 * acknowledged is lost, each record is in exactly one committed file, and the log is what is in the bucket.
 *
 *     SLUICE_TEST_SEED=…        the same choices again (the machine's own timing aside)
 *     SLUICE_CLUSTER_ROUNDS=…   faults
 *     SLUICE_CLUSTER_FAULTS=…   only these kinds, with commas between them
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startBalancer, type Balancer } from '../support/balancer.ts';
import { below, readS3Bucket } from '../support/buckets.ts';
import { checkDelivery, checkRecords, delivered, readStream } from '../support/checker.ts';
import { DisClient, eventually } from '../support/dis-client.ts';
import { startKafka, type KafkaCluster } from '../support/kafka-cluster.ts';
import { Load } from '../support/load.ts';
import { openLink, type NetworkLink } from '../support/network-link.ts';
import { startPostgres, type PostgresServer, type StandbyServer } from '../support/postgres.ts';
import { seededFraction } from '../support/random.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { CREDENTIALS, ServerProcess } from '../support/server-process.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { startStrictS3 } from '../support/strict-s3.ts';
import type { TestS3 } from '../support/s3.ts';

const SEED = testSeed();
/** Each kind once. */
const ROUNDS = testRounds('SLUICE_CLUSTER_ROUNDS', 8);
/** All where it is not set. */
const WANTED = process.env['SLUICE_CLUSTER_FAULTS']?.split(',');
const NODES = 3;
const LEASE_MS = 4000;
const STREAM = 'orders';
const HOST = '127.0.0.1';
const TASKS = [
  { name: 'lines', delimiter: '\n', settings: { file_prefix: 'lines', partition_format: 'yyyy/MM/dd' } },
  {
    name: 'plain',
    delimiter: '',
    settings: { file_prefix: 'plain/', record_delimiter: '', deliver_time_interval: 2, deliver_size_interval: 1 },
  },
];
/** Records that must be acknowledged after each fault before the next one. */
const PROGRESS = 100;
const PATIENCE_MS = 120_000;
const BROKER_DISK_MEGABYTES = 160;

interface Node {
  readonly process: ServerProcess;
  /** To what it depends on, by name. */
  readonly links: Readonly<Record<'postgres' | 's3' | 'kafka', readonly NetworkLink[]>>;
}

interface Place {
  readonly kafka: KafkaCluster;
  readonly s3: TestS3;
  readonly nodes: readonly Node[];
  readonly balancer: Balancer;
  postgres: PostgresServer;
  standby: StandbyServer | undefined;
  /** Broker 3 has it; undefined where none can be mounted. */
  readonly disk: SmallDisk | undefined;
}

async function build(t: TestContext): Promise<Place> {
  const mounted = await mountSmallDisk(BROKER_DISK_MEGABYTES);
  const disk = typeof mounted === 'string' ? undefined : mounted;
  if (typeof mounted === 'string') t.diagnostic(`no broker has a full disk: ${mounted}`);
  t.after(() => disk?.unmount());
  const small = disk === undefined ? {} : { folderOf3: join(disk.path, 'kafka') };
  // Indices are made in their whole size and written to as memory: on a full disk that would end the process.
  const properties = { 'log.index.size.max.bytes': 64 * 1024, 'log.segment.bytes': 8 * 1024 * 1024 };
  const kafka = await startKafka({ brokers: 3, ways: NODES, properties, ...small });
  t.after(() => kafka.stop());
  const postgres = await startPostgres();
  const place: { postgres: PostgresServer; standby: StandbyServer | undefined } = {
    postgres,
    standby: await postgres.startStandby(),
  };
  t.after(async () => {
    await place.standby?.stop();
    await place.postgres.stop();
    await postgres.stop();
  });
  const s3 = await startStrictS3();
  t.after(() => s3.close());
  await s3.createBucket('bucket');
  const balancer = await startBalancer();
  t.after(() => balancer.close());

  const folder = await mkdtemp(join(tmpdir(), 'sluice-cluster-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const nodes: Node[] = [];
  for (let index = 0; index < NODES; index += 1) {
    const toPostgres = await openLink({ host: HOST, port: postgres.port });
    const toS3 = await openLink({ host: HOST, port: Number(new URL(s3.endpoint).port) });
    const env = {
      SLUICE_KAFKA_BROKERS: kafka.ways[index]!.bootstrap.join(','),
      SLUICE_KAFKA_TIMEOUT_MS: '5000',
      SLUICE_POSTGRES_URL: `postgresql://postgres@${HOST}:${toPostgres.port}/postgres`,
      SLUICE_POSTGRES_CONNECT_TIMEOUT_MS: '2000',
      SLUICE_POSTGRES_STATEMENT_TIMEOUT_MS: '10000',
      SLUICE_CLUSTER_LEASE_SECONDS: String(LEASE_MS / 1000),
      SLUICE_CLUSTER_NODE_ID: `node-${index}`,
      SLUICE_S3_ENDPOINT: `http://${HOST}:${toS3.port}`,
      SLUICE_S3_REGION: s3.region,
      SLUICE_S3_ACCESS_KEY: s3.accessKey,
      SLUICE_S3_SECRET_KEY: s3.secretKey,
      SLUICE_S3_TIMEOUT_SECONDS: '5',
      SLUICE_DUMP_RETRY_MAX_SECONDS: '3',
    };
    const home = join(folder, `node-${index}`);
    const process = new ServerProcess({ env, dataDir: join(home, 'data') }, home);
    nodes.push({ process, links: { postgres: [toPostgres], s3: [toS3], kafka: kafka.ways[index]!.links } });
    t.after(async () => {
      await process.stop();
      for (const link of [toPostgres, toS3]) await link.close();
    });
  }
  await Promise.all(nodes.map(({ process }) => process.start()));
  return Object.assign(place, { kafka, s3, nodes, balancer, disk });
}

/** Every fault is over when it resolves. `ms` is between half a lease and two. */
type Fault = (place: Place, choose: <T>(list: readonly T[]) => T, ms: number) => Promise<string>;

const FAULTS: Readonly<Record<string, Fault>> = {
  async 'node killed'({ nodes, balancer }, choose, ms) {
    const node = choose(nodes);
    await node.process.kill('SIGKILL');
    await setTimeout(ms);
    await start(node, nodes, balancer);
    return name(node, nodes);
  },
  async 'node stopped'({ nodes }, choose, ms) {
    const node = choose(nodes);
    process.kill(node.process.pid, 'SIGSTOP');
    await setTimeout(LEASE_MS + ms);
    process.kill(node.process.pid, 'SIGCONT');
    return name(node, nodes);
  },
  async 'node cut off'({ nodes }, choose, ms) {
    const node = choose(nodes);
    const what = choose(['postgres', 's3', 'kafka'] as const);
    const how = choose(['resume', 'forget'] as const);
    for (const link of node.links[what]) link.cut();
    await setTimeout(LEASE_MS + ms);
    for (const link of node.links[what]) link.mend(how);
    return `${name(node, nodes)} from ${what}, ${how}`;
  },
  async 'broker killed'({ kafka }, choose, ms) {
    const broker = choose(kafka.brokers);
    await broker.kill('SIGKILL');
    await setTimeout(ms);
    await broker.start();
    return `${broker.id}`;
  },
  async 'disk of a broker full'({ kafka, disk }, _choose, ms) {
    if (disk === undefined) return 'none';
    const ballast = join(disk.path, 'ballast');
    await writeFile(ballast, Buffer.alloc(BROKER_DISK_MEGABYTES * 1024 * 1024)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOSPC') throw error;
      },
    );
    await setTimeout(LEASE_MS + ms);
    await rm(ballast);
    const [, , broker] = kafka.brokers;
    // It ends by itself when it cannot write.
    await broker!.kill('SIGKILL');
    await broker!.start();
    return '3';
  },
  async 'PostgreSQL killed'({ postgres }, _choose, ms) {
    await postgres.kill('SIGQUIT');
    await setTimeout(ms);
    await postgres.start();
    return '';
  },
  async 'standby promoted'(place, _choose, ms) {
    const { standby, nodes, postgres } = place;
    if (standby === undefined) return 'none left';
    await postgres.kill('SIGQUIT');
    await setTimeout(ms);
    await standby.promote();
    for (const { links } of nodes) links.postgres[0]!.redirect({ host: HOST, port: standby.port });
    place.postgres = standby;
    place.standby = undefined;
    return '';
  },
  async 'rolling restart'({ nodes, balancer }) {
    for (const node of nodes) {
      const ended = await node.process.kill('SIGTERM');
      assert.equal(ended, 0, node.process.log.slice(-2000));
      await start(node, nodes, balancer);
    }
    return '';
  },
};

async function start(node: Node, nodes: readonly Node[], balancer: Balancer): Promise<void> {
  await node.process.start();
  direct(nodes, balancer);
}

function direct(nodes: readonly Node[], balancer: Balancer): void {
  balancer.direct(nodes.map(({ process }) => Number(new URL(process.baseUrl).port)));
}

function name(node: Node, nodes: readonly Node[]): string {
  return `node ${nodes.indexOf(node)}`;
}

test('whatever happens to its parts, no acknowledged record is lost and each is in exactly one file', async (t) => {
  const fraction = seededFraction(SEED);
  const choose = <T>(list: readonly T[]): T => list[Math.floor(fraction() * list.length)]!;
  const place = await build(t);
  const { nodes, balancer, s3 } = place;
  direct(nodes, balancer);
  const target = { baseUrl: `http://${HOST}:${balancer.port}`, credentials: CREDENTIALS };
  const dis = await DisClient.login(target);
  t.after(() => dis.close());
  await dis.createStream(STREAM, 3);
  for (const task of TASKS) await dis.addTask(STREAM, task.name, task.settings);

  const load = new Load({
    ...{ stream: STREAM, putters: 3, records: 10, filler: 1000 },
    // As much as a small machine can do beside a dozen processes.
    pauseMs: 40,
    fraction: seededFraction(SEED + 1),
  });
  const putters = load.start(dis, { tireless: true });
  t.after(() => putters.stop());
  const kinds = Object.keys(FAULTS).filter((kind) => WANTED === undefined || WANTED.includes(kind));
  // Each kind once before any comes again.
  let left: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (left.length === 0) left = [...kinds];
    const kind = choose(left);
    left = left.filter((other) => other !== kind);
    await setTimeout(fraction() * 2000);
    process.stderr.write(`# ${round + 1}: ${kind} …\n`);
    const began = Date.now();
    const what = await FAULTS[kind]!(place, choose, (0.5 + 1.5 * fraction()) * LEASE_MS);
    const mended = Date.now();
    const enough = load.acknowledged.length + PROGRESS;
    await eventually('records are taken again', async () => load.acknowledged.length >= enough, Boolean, PATIENCE_MS);
    process.stderr.write(`#   ${what}: ${mended - began} ms, well after ${Date.now() - mended} ms\n`);
  }
  await putters.stop();

  for (const task of TASKS) await delivered(dis, STREAM, task.name, PATIENCE_MS);
  const content = await readStream(dis, STREAM);
  checkRecords(content, load);
  const objects = await readS3Bucket(s3, 'bucket');
  let files = 0;
  let failed = 0;
  for (const { name: task, delimiter } of TASKS) {
    const taskId = await dis.taskId(STREAM, task);
    const log = await dis.wholeLog(taskId);
    files += log.filter(({ state }) => state === 0).length;
    failed += log.filter(({ state }) => state === 1).length;
    checkDelivery({ taskId, streamName: STREAM, delimiter, content, log, objects: below(objects, `${task}/`) });
  }
  const { acknowledged, unanswered, refusals } = load;
  t.diagnostic(
    `seed ${SEED}: ${ROUNDS} faults, ${acknowledged.length} records acknowledged, ${unanswered.length} unanswered, ` +
      `${refusals.length} refusals, ${files} files, ${failed} failed attempts`,
  );
});
