/**
 * A server that is killed while its stream is scaled under load, round after round: every start has the layout of an
 * acknowledged scaling, or of the one that nobody was told of, and no record or file is lost or doubled by it.
 *
 *     SLUICE_TEST_SEED=…      the same choices again (the machine's own timing aside)
 *     SLUICE_CRASH_ROUNDS=…   kills
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { below, readFolder } from '../support/buckets.ts';
import { checkDelivery, checkRecords, delivered, readStream } from '../support/checker.ts';
import { DisClient } from '../support/dis-client.ts';
import { ownerOf } from '../support/hash-owners.ts';
import { Load } from '../support/load.ts';
import { seededFraction } from '../support/random.ts';
import { testRounds, testSeed } from '../support/seed.ts';
import { startServer } from '../support/server.ts';

const SEED = testSeed();
const ROUNDS = testRounds('SLUICE_CRASH_ROUNDS', 12);
const STREAM = 'orders';
const MOST_PARTITIONS = 12;

test('killed while it scales', async (t) => {
  const fraction = seededFraction(SEED);
  const server = await startServer({ env: { SLUICE_LIMITS_SCALINGS_PER_HOUR: '100000' } });
  t.after(() => server.stop());
  let dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream(STREAM, 2);
  const taskId = await dis.addTask(STREAM, 'lines', { file_prefix: 'lines' });
  const load = new Load({ stream: STREAM, putters: 3, records: 20, filler: 500, fraction: seededFraction(SEED + 1) });
  let acknowledged = 2;
  let attempted = 2;
  let scalings = 0;

  /** Scales without a pause until the server is gone. */
  const scaleUntilKilled = async () => {
    for (;;) {
      attempted = 1 + ((acknowledged + Math.floor(fraction() * (MOST_PARTITIONS - 1))) % MOST_PARTITIONS);
      const body = { target_partition_count: attempted };
      const answer = await dis.call('PUT', `/streams/${STREAM}`, { body }).catch(() => undefined);
      if (answer === undefined) return;
      assert.equal(answer.status, 200, answer.text);
      acknowledged = attempted;
      scalings += 1;
    }
  };

  for (let round = 0; round < ROUNDS; round += 1) {
    const putters = load.start(dis);
    const scaler = scaleUntilKilled();
    await new Promise((resolve) => setTimeout(resolve, 50 + fraction() * 700));
    await server.kill('SIGKILL');
    await Promise.all([putters.stop(), scaler]);
    await server.restart();
    dis = dis.at(server.baseUrl);
    const { partitions } = await dis.describe(STREAM);
    const count = partitions.filter(({ status }) => status === 'ACTIVE').length;
    assert.ok(count === acknowledged || count === attempted, `${count} of ${acknowledged} or ${attempted}`);
    acknowledged = count;
    // One owner for every hash, the ends of the space included.
    for (let part = 0n; part <= 100n; part += 1n) ownerOf(partitions, ((2n ** 63n - 1n) * part) / 100n);
  }
  await load.putSome(dis, 5);
  assert.deepEqual(load.refusals, []);
  const content = await readStream(dis, STREAM);
  checkRecords(content, load);
  await delivered(dis, STREAM, 'lines');
  const objects = below(await readFolder(join(server.dataDir, 'objects', 'bucket')), 'lines/');
  const log = await dis.wholeLog(taskId);
  checkDelivery({ taskId, streamName: STREAM, delimiter: '\n', content, log, objects });
  t.diagnostic(`seed ${SEED}: ${ROUNDS} kills, ${scalings} scalings, ${load.acknowledged.length} records`);
});
