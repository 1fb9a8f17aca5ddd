import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readFolder } from '../support/buckets.ts';
import { checkDelivery, checkRecords, delivered, readStream } from '../support/checker.ts';
import { DisClient } from '../support/dis-client.ts';
import { expectError, expectJson } from '../support/expect.ts';
import { Load } from '../support/load.ts';
import { seededFraction } from '../support/random.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runScalingConformance } from './suites/scaling.ts';

const scale = (dis: DisClient, stream: string, target: number) =>
  dis.call('PUT', `/streams/${stream}`, { body: { stream_name: stream, target_partition_count: target } });

describe('scaled often', () => {
  let server: TestServer;
  before(async () => (server = await startServer({ env: { SLUICE_LIMITS_SCALINGS_PER_HOUR: '1000' } })));
  after(() => server.stop());

  runScalingConformance(() => ({ baseUrl: server.baseUrl, credentials: server.credentials, quota: 50 }));

  test('a dump task goes on while its stream is scaled: each record of each partition is in exactly one file', async (t) => {
    let dis = await DisClient.login(server);
    t.after(() => dis.close());
    await dis.createStream('dumped', 2);
    const before = await dis.addTask('dumped', 'before', { file_prefix: 'before' });
    const fraction = seededFraction(1);
    const load = new Load({ stream: 'dumped', putters: 3, records: 20, filler: 500, fraction });
    const putters = load.start(dis);
    let during = '';
    for (const target of [4, 1, 3, 6, 2, 5]) {
      expectJson(await scale(dis, 'dumped', target));
      if (target === 3) during = await dis.addTask('dumped', 'during', { file_prefix: 'during' });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await putters.stop();
    await delivered(dis, 'dumped', 'before');
    await server.kill('SIGKILL');
    await server.restart();
    dis = dis.at(server.baseUrl);
    expectJson(await scale(dis, 'dumped', 7));
    await load.putSome(dis, 5);
    const content = await readStream(dis, 'dumped');
    checkRecords(content, load);
    assert.equal(content.length, 7);
    assert.deepEqual(load.refusals, []);
    for (const [task, taskId] of Object.entries({ before, during })) {
      await delivered(dis, 'dumped', task);
      const objects = await readFolder(join(server.dataDir, 'objects', 'bucket'), `${task}/`);
      const log = await dis.wholeLog(taskId);
      checkDelivery({ taskId, streamName: 'dumped', delimiter: '\n', content, log, objects });
    }
  });

  test('what was scaled and changed survives a restart, and a kill', async () => {
    const dis = await DisClient.login(server);
    await dis.createStream('kept', 2);
    expectJson(await scale(dis, 'kept', 4));
    expectJson(await scale(dis, 'kept', 3));
    expectError(await scale(dis, 'kept', 51), 400, 'DIS.4308');
    const body = { data_duration: 48, auto_scale_enabled: true, auto_scale_max_partition_count: 3 };
    const update = { token: dis.token, body };
    const changed = await dis.http.call('PUT', `/v3/${dis.projectId}/streams/kept`, update);
    assert.equal(changed.status, 204);
    const described = async () => {
      const at = await DisClient.login(server);
      const { text } = await at.call('GET', '/streams/kept');
      at.close();
      return text;
    };
    const told = await described();
    dis.close();
    await server.kill('SIGKILL');
    await server.restart();
    assert.equal(await described(), told);
    await server.restart();
    assert.equal(await described(), told);
  });
});

test('by default a stream takes five tries an hour', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream('orders');
  await dis.createStream('others');
  for (const target of [2, 3, 2]) expectJson(await scale(dis, 'orders', target));
  expectError(await scale(dis, 'orders', 51), 400, 'DIS.4308', /quota/);
  expectError(await scale(dis, 'orders', 2), 400, 'DIS.4300');
  expectJson(await scale(dis, 'orders', 4));
  expectError(
    await scale(dis, 'orders', 5),
    400,
    'DIS.4308',
    /scaled too often.*\[orders\]\[at most 5 an hour, next\]\[\d{13}\]$/,
  );
  expectJson(await scale(dis, 'others', 2));
  await server.restart();
  const again = dis.at(server.baseUrl);
  t.after(() => again.close());
  expectError(await scale(again, 'orders', 5), 400, 'DIS.4308', /scaled too often/);
});

test('with the profile dis a success locks the stream', async (t) => {
  const server = await startServer({ env: { SLUICE_LIMITS_PROFILE: 'dis' } });
  t.after(() => server.stop());
  const dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream('orders');
  expectError(await scale(dis, 'orders', 51), 400, 'DIS.4308', /quota/);
  expectJson(await scale(dis, 'orders', 2));
  expectError(await scale(dis, 'orders', 3), 400, 'DIS.4308', /\[orders\]\[locked after a success, next\]\[\d{13}\]$/);
});
