/**
 * The real process under load, killed at random moments and started again on what it left, round after round; then what
 * it says and what is in the bucket are held against what it had acknowledged.
 *
 *     SLUICE_TEST_SEED=…      the same choices again (the machine's own timing aside)
 *     SLUICE_CRASH_ROUNDS=…   kills per store
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { join } from 'node:path';
import { below, readFolder, readS3Bucket, type Objects } from '../support/buckets.ts';
import { checkDelivery, checkRecords, delivered, readStream } from '../support/checker.ts';
import { DisClient } from '../support/dis-client.ts';
import { Load } from '../support/load.ts';
import { seededFraction } from '../support/random.ts';
import { startS3 } from '../support/s3.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { failToStart, startServer, type TestServer } from '../support/server.ts';

const SEED = testSeed();
const ROUNDS = testRounds('SLUICE_CRASH_ROUNDS', 12);
const STREAM = 'orders';
const TASKS = [
  { name: 'lines', delimiter: '\n', settings: { file_prefix: 'lines', partition_format: 'yyyy/MM/dd' } },
  {
    name: 'plain',
    delimiter: '',
    settings: { file_prefix: 'plain/', record_delimiter: '', deliver_time_interval: 2, deliver_size_interval: 1 },
  },
];

interface Store {
  readonly env: Readonly<Record<string, string>>;
  readonly objects: (server: TestServer) => Promise<Objects>;
}

const STORES: Record<string, (t: TestContext) => Promise<Store>> = {
  'a directory': async () => ({
    env: {},
    objects: ({ dataDir }) => readFolder(join(dataDir, 'objects', 'bucket')),
  }),
  S3: async (t) => {
    const s3 = await startS3();
    t.after(() => s3.close());
    await s3.createBucket('bucket');
    return {
      env: {
        SLUICE_S3_ENDPOINT: s3.endpoint,
        SLUICE_S3_REGION: s3.region,
        SLUICE_S3_ACCESS_KEY: s3.accessKey,
        SLUICE_S3_SECRET_KEY: s3.secretKey,
      },
      objects: () => readS3Bucket(s3, 'bucket'),
    };
  },
};

describe('killed under load', () => {
  for (const [name, open] of Object.entries(STORES)) {
    test(`with ${name}: nothing acknowledged is lost, and each record is in exactly one committed file`, async (t) => {
      const fraction = seededFraction(SEED);
      const store = await open(t);
      const env = { ...store.env, SLUICE_RECORD_LOG_SEGMENT_BYTES: String(1024 * 1024), SLUICE_DUMP_UPLOADS: '2' };
      const server = await startServer({ env });
      t.after(() => server.stop());
      let dis = await DisClient.login(server);
      t.after(() => dis.close());
      await dis.createStream(STREAM, 3);
      for (const task of TASKS) await dis.addTask(STREAM, task.name, task.settings);

      // Choices of its own: how many there are depends on how far the putters get.
      const load = new Load({
        stream: STREAM,
        putters: 4,
        records: 20,
        filler: 4000,
        fraction: seededFraction(SEED + 1),
      });
      for (let round = 0; round < ROUNDS; round += 1) {
        if (fraction() < 0.25) await killWhileStarting(server, fraction);
        else if (round > 0) await server.restart();
        if (server.pid === 0) continue;
        dis = dis.at(server.baseUrl);
        const putters = load.start(dis);
        await pause(50 + fraction() * 1950);
        assert.equal(await server.kill('SIGKILL'), 'SIGKILL');
        await putters.stop();
      }
      await server.restart();
      dis = dis.at(server.baseUrl);
      await load.putSome(dis, 1);
      for (const task of TASKS) await delivered(dis, STREAM, task.name);

      const content = await readStream(dis, STREAM);
      checkRecords(content, load);
      const objects = await store.objects(server);
      let files = 0;
      for (const { name: task, delimiter } of TASKS) {
        const taskId = await dis.taskId(STREAM, task);
        const log = await dis.wholeLog(taskId);
        files += log.length;
        checkDelivery({ taskId, streamName: STREAM, delimiter, content, log, objects: below(objects, `${task}/`) });
      }
      const { length: records } = load.acknowledged;
      assert.ok(records > 0);
      t.diagnostic(
        `seed ${SEED}: ${ROUNDS} kills, ${records} records acknowledged, ${load.unanswered.length} unanswered, ${files} files`,
      );
    });
  }

  test('a second server on the data directory of one that runs is refused, of one that was killed it is not', async (t) => {
    const server = await startServer();
    t.after(() => server.stop());
    let dis = await DisClient.login(server);
    await dis.createStream(STREAM);
    const load = new Load({ stream: STREAM, putters: 2, records: 5, filler: 100, fraction: seededFraction(SEED) });
    const putters = load.start(dis);
    for (let i = 0; i < 2; i += 1) {
      const { code, stderr } = await failToStart({ dataDir: server.dataDir });
      assert.equal(code, 1);
      assert.match(stderr, /^sluice: the data directory \S+ is in use by another sluice process\n$/);
    }
    await putters.stop();
    await server.kill('SIGKILL');
    await server.restart();
    dis = dis.at(server.baseUrl);
    t.after(() => dis.close());
    checkRecords(await readStream(dis, STREAM), load);
  });
});

/** Starts the server and kills it somewhere on its way up, or just after. */
async function killWhileStarting(server: TestServer, fraction: () => number): Promise<void> {
  if (server.pid !== 0) await server.kill('SIGKILL');
  const starting = server.restart().catch(() => undefined);
  await pause(fraction() * 1500);
  if (server.pid !== 0) await server.kill('SIGKILL');
  await starting;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
