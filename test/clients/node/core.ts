/**
 * The core of Huawei Cloud's Node SDK v3: it has no package for DIS, so the calls are written out, and the core signs
 * and sends them and reads the answers and errors. Signature S2, or S3 with derived keys.
 */
import { BasicCredentials } from '@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials.js';
import { ClientBuilder } from '@huaweicloud/huaweicloud-sdk-core/ClientBuilder.js';
import { ClientRequestException } from '@huaweicloud/huaweicloud-sdk-core/exception/ClientRequestException.js';
import type { HcClient } from '@huaweicloud/huaweicloud-sdk-core/HcClient.js';
import { Region } from '@huaweicloud/huaweicloud-sdk-core/region/region.js';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Setting } from '../run-program.ts';

const PARTITIONS = 3;
const RECORDS = 1000;
const STREAM = 'node-core';
const APP = 'node-app';
const TASK = 'node-task';

interface Reply {
  readonly httpStatusCode: number;
  // What a call answers is looked at member by member.
  readonly [member: string]: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

interface CallOptions {
  readonly query?: Record<string, unknown>;
  readonly body?: Record<string, unknown>;
  readonly by?: HcClient;
}

const setting = JSON.parse(process.argv[2] ?? '') as Setting;
const client = connect();

function connect(changes: Partial<Setting> = {}, securityToken?: string): HcClient {
  const at = { ...setting, ...changes };
  const credential = new BasicCredentials({ ak: at.accessKey, sk: at.secretKey, projectId: at.projectId });
  if (securityToken !== undefined) credential.withSecurityToken(securityToken);
  if (at.signature === 'S3') credential.withDerivedPredicate(() => true);
  return new ClientBuilder((core) => core)
    .withCredential(credential)
    .withDerivedAuthServiceName('dis')
    .withRegion(new Region(at.region, at.endpoint))
    .build();
}

/** A call below `/v2/{project_id}`, made as the generated packages make theirs. */
async function call(method: string, path: string, options: CallOptions = {}) {
  const { query = {}, body, by = client } = options;
  return (await by.sendRequest({
    method,
    url: `/v2/{project_id}${path}`,
    contentType: 'application/json',
    queryParams: query,
    pathParams: {},
    headers: {},
    ...(body === undefined ? {} : { data: body }),
  })) as unknown as Reply;
}

async function step(name: string, run: () => Promise<void>): Promise<void> {
  const error = await run().then(
    () => undefined,
    (failure: unknown) => String(failure),
  );
  console.log(
    `\n${JSON.stringify({ step: name, ok: error === undefined, ...(error === undefined ? {} : { error }) })}`,
  );
}

async function refused(promise: Promise<unknown>, status: number, code: string): Promise<void> {
  const error = await promise.then(
    () => assert.fail(`was not refused with ${code}`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof ClientRequestException, `no ClientRequestException: ${String(error)}`);
  assert.deepEqual([error.httpStatusCode, error.errorCode], [status, code]);
  assert.ok(error.requestId);
}

async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await check()) return;
    await sleep(100);
  }
  assert.fail(`${what}: not within 20 s`);
}

const payload = (index: number): string => `${index} ü 数据 +/= "\\" & ${'x'.repeat(index % 500)}`;
const encoded = (text: string): string => Buffer.from(text).toString('base64');

function address(index: number): object {
  if (index % 10 === 0) return { partition_id: 'shardId-0000000001' };
  if (index % 10 === 1) return { partition_id: '2' };
  if (index % 10 === 2) return { explicit_hash_key: '0' };
  return { partition_key: `key-${index % 37}` };
}

/** Everything in a partition as [number, text]. */
async function readAll(partition: string): Promise<[number, string][]> {
  const query = { 'stream-name': STREAM, 'partition-id': partition, 'cursor-type': 'TRIM_HORIZON' };
  let cursor = (await call('GET', '/cursors', { query })).partition_cursor as string;
  const found: [number, string][] = [];
  for (;;) {
    const page = await call('GET', '/records', { query: { 'partition-cursor': cursor, max_fetch_bytes: 50_000 } });
    const records = page.records as { sequence_number: string; data: string }[];
    if (records.length === 0) return found;
    found.push(
      ...records.map(({ sequence_number: number, data }): [number, string] => [
        Number(number),
        Buffer.from(data, 'base64').toString('utf8'),
      ]),
    );
    cursor = page.next_partition_cursor as string;
  }
}

const ids = Array.from({ length: PARTITIONS }, (_, partition) => `shardId-${String(partition).padStart(10, '0')}`);
const expected = new Map<string, [number, string][]>();
let streamId = '';

await step('create stream', async () => {
  const body = { stream_name: STREAM, partition_count: PARTITIONS, stream_type: 'COMMON', data_duration: 24 };
  assert.equal((await call('POST', '/streams', { body })).httpStatusCode, 201);
});

await step('describe stream', async () => {
  const stream = await call('GET', `/streams/${STREAM}`);
  streamId = stream.stream_id as string;
  assert.deepEqual([stream.stream_name, stream.status], [STREAM, 'RUNNING']);
  const idsOf = (reply: Reply) => (reply.partitions as { partition_id: string }[]).map((at) => at.partition_id);
  assert.deepEqual(idsOf(stream), ids);
  const query = { start_partitionId: ids[0], limit_partitions: 1 };
  const page = await call('GET', `/streams/${STREAM}`, { query });
  assert.deepEqual([idsOf(page), page.has_more_partitions], [ids.slice(1, 2), true]);
});

await step('list streams', async () => {
  const { stream_names: names, total_number: total } = await call('GET', '/streams', { query: { limit: 10 } });
  assert.deepEqual([names, total], [[STREAM], 1]);
});

await step('put records', async () => {
  for (let first = 0; first < RECORDS; first += 500) {
    const indexes = Array.from({ length: 500 }, (_, offset) => first + offset);
    const records = indexes.map((index) => ({ data: encoded(payload(index)), ...address(index) }));
    const put = await call('POST', '/records', { body: { stream_name: STREAM, records } });
    assert.equal(put.failed_record_count, 0);
    for (const [offset, at] of (put.records as { partition_id: string; sequence_number: string }[]).entries()) {
      const before = expected.get(at.partition_id) ?? [];
      assert.equal(Number(at.sequence_number), before.length);
      expected.set(at.partition_id, [...before, [before.length, payload(first + offset)]]);
    }
  }
  assert.equal(expected.size, PARTITIONS);
});

await step('read records back', async () => {
  for (const partition of ids) assert.deepEqual(await readAll(partition), expected.get(partition));
});

await step('apps', async () => {
  assert.equal((await call('POST', '/apps', { body: { app_name: APP } })).httpStatusCode, 201);
  assert.equal((await call('GET', `/apps/${APP}`)).app_name, APP);
  assert.equal((await call('GET', '/apps', { query: { limit: 10 } })).total_number, 1);
  await refused(call('POST', '/apps', { body: { app_name: APP } }), 400, 'DIS.4330');
});

const checkpoint = { app_name: APP, checkpoint_type: 'LAST_READ', stream_name: STREAM, partition_id: ids[1] };

await step('checkpoints', async () => {
  assert.equal(Number((await call('GET', '/checkpoints', { query: checkpoint })).sequence_number), -1);
  const body = { ...checkpoint, sequence_number: '5', metadata: 'from node' };
  assert.equal((await call('POST', '/checkpoints', { body })).httpStatusCode, 201);
  const stored = await call('GET', '/checkpoints', { query: checkpoint });
  assert.deepEqual([stored.sequence_number, stored.metadata], ['5', 'from node']);
  await refused(call('POST', '/checkpoints', { body: { ...body, sequence_number: '999999' } }), 400, 'DIS.4224');
});

await step('consumption state', async () => {
  const query = { checkpoint_type: 'LAST_READ' };
  const state = await call('GET', `/apps/${APP}/streams/${STREAM}`, { query });
  const states = state.partition_consuming_states as { partition_id: string; sequence_number: string }[];
  assert.deepEqual(
    states.map((at) => [at.partition_id, Number(at.sequence_number)]),
    [
      [ids[0], -1],
      [ids[1], 5],
      [ids[2], -1],
    ],
  );
  assert.equal((await call('DELETE', '/checkpoints', { query: checkpoint })).httpStatusCode, 204);
});

await step('dump task', async () => {
  const tasks = `/streams/${STREAM}/transfer-tasks`;
  const descriptor = {
    task_name: TASK,
    agency_name: 'agency',
    obs_bucket_path: setting.bucket,
    deliver_time_interval: 1,
    consumer_strategy: 'TRIM_HORIZON',
  };
  const body = { destination_type: 'OBS', obs_destination_descriptor: descriptor };
  assert.equal((await call('POST', tasks, { body })).httpStatusCode, 201);
  assert.equal((await call('GET', tasks)).total_number, 1);
  const show = () => call('GET', `${tasks}/${TASK}`);
  await eventually('every record is delivered', async () => {
    const partitions = (await show()).partitions as { last_transfer_offset: number }[];
    return partitions.reduce((sum, at) => sum + Number(at.last_transfer_offset), 0) === RECORDS;
  });
  const { task_id: id } = await show();
  await call('POST', `${tasks}/action`, { body: { action: 'stop', tasks: [{ id: id as string }] } });
  assert.equal((await show()).state, 'PAUSED');
  await call('POST', `${tasks}/action`, { body: { action: 'start', tasks: [{ id: id as string }] } });
  await eventually('it runs again', async () => (await show()).state === 'RUNNING');
  assert.equal((await call('DELETE', `${tasks}/${TASK}`)).httpStatusCode, 204);
});

await step('metrics', async () => {
  const now = Math.floor(Date.now() / 1000);
  const labels = ['total_put_records_per_stream', 'total_get_records_per_stream'];
  const query = { label_list: labels.join(','), start_time: now - 3600, end_time: now + 60 };
  await eventually('records are counted', async () => {
    const { metrics_list: list } = await call('GET', `/streams/${STREAM}/metrics`, { query });
    const sums = (list as { dataPoints: { value: number }[] }[]).map(({ dataPoints }) =>
      dataPoints.reduce((sum, { value }) => sum + value, 0),
    );
    return sums[0] === RECORDS && sums[1] === RECORDS;
  });
});

await step('tags', async () => {
  const tags = `/stream/${streamId}/tags`;
  const body = { action: 'create', tags: [{ key: 'team', value: 'red' }] };
  assert.equal((await call('POST', `${tags}/action`, { body })).httpStatusCode, 204);
  assert.deepEqual((await call('GET', tags)).tags, [{ key: 'team', value: 'red' }]);
  assert.equal((await call('DELETE', `${tags}/team`)).httpStatusCode, 204);
});

await step('change partition count', async () => {
  const body = { stream_name: STREAM, target_partition_count: PARTITIONS + 1 };
  assert.equal((await call('PUT', `/streams/${STREAM}`, { body })).httpStatusCode, 200);
  assert.equal((await call('GET', `/streams/${STREAM}`)).writable_partition_count, PARTITIONS + 1);
});

await step('temporary key', async () => {
  const { temporaryAccessKey: accessKey, temporarySecretKey: secretKey, securityToken } = setting;
  const listed = await call('GET', '/streams', { by: connect({ accessKey, secretKey }, securityToken) });
  assert.deepEqual(listed.stream_names, [STREAM]);
  await refused(call('GET', '/streams', { by: connect({ accessKey, secretKey }) }), 401, 'DIS.4114');
});

await step('wrong key', async () => {
  await refused(call('GET', '/streams', { by: connect({ secretKey: 'wrong' }) }), 401, 'DIS.4100');
  await refused(call('GET', '/streams', { by: connect({ accessKey: 'UNKNOWN' }) }), 401, 'DIS.4107');
});

await step('wrong project', async () => {
  await refused(call('GET', '/streams', { by: connect({ projectId: setting.wrongProjectId }) }), 401, 'DIS.4117');
});

await step('missing stream', async () => {
  await refused(call('GET', '/streams/missing'), 400, 'DIS.4301');
  const body = { stream_name: 'missing', records: [{ data: encoded('x') }] };
  await refused(call('POST', '/records', { body }), 400, 'DIS.4301');
});

await step('delete app', async () => {
  assert.equal((await call('DELETE', `/apps/${APP}`)).httpStatusCode, 204);
  await refused(call('GET', `/apps/${APP}`), 400, 'DIS.4332');
});

await step('delete stream', async () => {
  assert.equal((await call('DELETE', `/streams/${STREAM}`)).httpStatusCode, 204);
  assert.deepEqual((await call('GET', '/streams')).stream_names, []);
});
