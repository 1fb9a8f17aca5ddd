/** Dump tasks of a real server whose S3 service fails: refuses, hangs, breaks connections, loses answers. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { readS3Bucket } from '../support/buckets.ts';
import { checkDelivery, delivered, readStream, STATE } from '../support/checker.ts';
import { DisClient, eventually, toBase64, type LogEntry } from '../support/dis-client.ts';
import { expectEmpty, expectError } from '../support/expect.ts';
import {
  startFaultyProxy,
  UNAVAILABLE,
  type Fault,
  type FaultyProxy,
  type ProxiedRequest,
} from '../support/faulty-proxy.ts';
import { startS3, type TestS3 } from '../support/s3.ts';
import { startServer, type TestServer } from '../support/server.ts';

const FAULTS: Readonly<Record<string, { readonly fault: Fault; readonly cause: RegExp }>> = {
  'refuses with 503': { fault: UNAVAILABLE, cause: /\[503 SlowDown\]$/ },
  'denies access': { fault: { status: 403, code: 'AccessDenied' }, cause: /\[403 AccessDenied\]$/ },
  'does not answer': { fault: 'hang', cause: /\[no answer for 1 s\]$/ },
  'breaks the connection': { fault: 'cut', cause: /\[(ECONNRESET|EPIPE)\]$/ },
  'loses the answer': { fault: 'lose', cause: /\[ECONNRESET\]$/ },
};
const SECRET_KEY = 'a very secret key';

describe('dump tasks and an S3 service that fails', () => {
  let s3: TestS3;
  let proxy: FaultyProxy;
  let server: TestServer;
  let dis: DisClient;
  let stream = '';
  let streams = 0;

  before(async () => {
    s3 = await startS3();
    await s3.createBucket('bucket');
    proxy = await startFaultyProxy(s3.endpoint);
    server = await startServer({
      env: {
        SLUICE_S3_ENDPOINT: proxy.endpoint,
        SLUICE_S3_REGION: s3.region,
        SLUICE_S3_ACCESS_KEY: s3.accessKey,
        SLUICE_S3_SECRET_KEY: SECRET_KEY,
        SLUICE_S3_TIMEOUT_SECONDS: '1',
        SLUICE_DUMP_RETRY_MAX_SECONDS: '2',
        SLUICE_SHUTDOWN_SECONDS: '1',
        SLUICE_LOG_LEVEL: 'info',
      },
    });
    dis = await DisClient.login(server);
  });
  afterEach(async () => {
    proxy.heal();
    if (stream !== '') await dis.deleteStream(stream);
    stream = '';
  });
  after(async () => {
    dis.close();
    await server.stop();
    await proxy.close();
    await s3.close();
  });

  /** A stream of its own with a task that has delivered one file a partition. */
  async function begin(partitions = 1, settings: object = {}): Promise<string> {
    streams += 1;
    stream = `stream${streams}`;
    await dis.createStream(stream, partitions);
    const taskId = await dis.addTask(stream, 'task', { file_prefix: stream, ...settings });
    await putRound(partitions);
    await delivered(dis, stream, 'task');
    return taskId;
  }

  const putRound = (partitions = 1) =>
    dis.store(
      stream,
      Array.from({ length: partitions }, (_, p) => ({ data: toBase64(`record of ${p}`), partition_id: String(p) })),
    );
  const ofTask = ({ path, method }: ProxiedRequest) => path.includes(`/${stream}/`) && method !== 'HEAD';
  const failures = async (taskId: string) => (await dis.wholeLog(taskId)).filter(({ state }) => state === STATE.failed);
  const shown = async () =>
    (await dis.showTask(stream, 'task')).json as { state: string; partitions: { state: string; discard: number }[] };

  async function check(taskId: string): Promise<LogEntry[]> {
    await delivered(dis, stream, 'task');
    const content = await readStream(dis, stream);
    const log = await dis.wholeLog(taskId);
    const objects = await readS3Bucket(s3, 'bucket', `${stream}/`);
    checkDelivery({ taskId, streamName: stream, delimiter: '\n', content, log, objects });
    return log;
  }

  async function restart(): Promise<void> {
    await server.restart();
    dis = dis.at(server.baseUrl);
  }

  for (const [name, { fault, cause }] of Object.entries(FAULTS)) {
    test(`a service that ${name}: rows with the cause, ABNORMAL, then RUNNING by itself, each record once`, async () => {
      const taskId = await begin(2);
      proxy.fail((request) => (ofTask(request) && /\.1\.\d+(\?|$)/.test(request.path) ? fault : undefined));
      await putRound(2);
      const failed = await eventually(
        'two attempts fail',
        () => failures(taskId),
        ({ length }) => length >= 2,
      );
      const { state, partitions } = await shown();
      assert.equal(state, 'ABNORMAL');
      assert.deepEqual(
        partitions.map((partition) => partition.state),
        ['RUNNING', 'ABNORMAL'],
      );
      for (const entry of failed) {
        assert.equal(entry.errorCode, 'DIS.4310');
        assert.match(entry.cause ?? '', cause);
        assert.equal(entry.partitionId, 'shardId-0000000001');
      }
      // The other partition is not held up, and neither are records.
      await dis.store(stream, [{ data: toBase64('later'), partition_id: '0' }]);
      await eventually('the other partition', async () => {
        const log = await dis.wholeLog(taskId);
        return log.filter((entry) => entry.state === STATE.delivered && entry.partitionId.endsWith('0')).length >= 3;
      });
      await putRound(2);
      proxy.heal();
      const log = await check(taskId);
      const attempts = log.filter(({ transferFileName }) => transferFileName === failed[0]?.transferFileName);
      assert.ok(attempts.length > failed.length && attempts.some(({ state }) => state === STATE.delivered));
      assert.deepEqual(
        (await shown()).partitions.map(({ discard }) => discard),
        [0, 0],
      );
    });
  }

  test('a bucket that vanishes and comes back', async () => {
    const taskId = await begin();
    proxy.fail((request) => (ofTask(request) ? { status: 404, code: 'NoSuchBucket' } : undefined));
    await putRound();
    const [failed] = await eventually(
      'an attempt fails',
      () => failures(taskId),
      ({ length }) => length > 0,
    );
    assert.equal(failed?.errorCode, 'DIS.4306');
    assert.match(failed?.cause ?? '', /\[bucket\]$/);
    proxy.heal();
    await check(taskId);
  });

  test('retry_duration: a file is given up when its time is over, and counted; the next ones come', async () => {
    const taskId = await begin(1, { retry_duration: 1 });
    proxy.fail((request) => (ofTask(request) && request.method === 'PUT' ? UNAVAILABLE : undefined));
    await putRound();
    await putRound();
    const given = await eventually(
      'a file is given up',
      async () => (await dis.wholeLog(taskId)).filter(({ givenUp }) => givenUp),
      ({ length }) => length > 0,
    );
    proxy.heal();
    await putRound();
    await check(taskId);
    const lost = given.reduce((sum, e) => sum + Number(e.lastSequenceNumber) - Number(e.firstSequenceNumber) + 1, 0);
    assert.ok((await shown()).partitions[0]!.discard >= lost);
  });

  for (const [name, fault] of Object.entries({
    'before its end': 'hang',
    'when the object is there and the answer is not': 'lose',
  } as const)) {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      test(`${signal} in the middle of an upload, ${name}: the same file again, under the same key`, async () => {
        const taskId = await begin();
        proxy.fail((request) => (ofTask(request) && request.method === 'PUT' ? fault : undefined));
        await putRound();
        await eventually('an upload is under way', async () =>
          proxy.requests.some((request) => request.fault === fault),
        );
        const planned = (await dis.wholeLog(taskId)).find(({ state }) => state === STATE.planned);
        assert.ok(planned !== undefined);
        await server.kill(signal);
        proxy.heal();
        await restart();
        await putRound();
        const log = await check(taskId);
        const same = log.filter(({ objectKey }) => objectKey === planned.objectKey);
        assert.equal(same.filter(({ state }) => state === STATE.delivered).length, 1);
        assert.deepEqual(
          same.map(({ firstSequenceNumber, lastSequenceNumber }) => [firstSequenceNumber, lastSequenceNumber]),
          same.map(() => [planned.firstSequenceNumber, planned.lastSequenceNumber]),
        );
      });
    }
  }

  test('killed between the parts of a large upload', async () => {
    const taskId = await begin();
    expectEmpty(await dis.changeTasks(stream, 'stop', taskId), 200);
    const megabyte = { data: toBase64('m'.repeat(1024 * 1024)) };
    for (let i = 0; i < 5; i += 1) await dis.store(stream, [megabyte, megabyte, megabyte, megabyte]);
    proxy.fail(({ path }) => (path.includes(stream) && path.includes('partNumber=2') ? 'hang' : undefined));
    expectEmpty(await dis.changeTasks(stream, 'start', taskId), 200);
    await eventually('a part hangs', async () => proxy.requests.some(({ fault }) => fault === 'hang'));
    await server.kill('SIGKILL');
    proxy.heal();
    await restart();
    await check(taskId);
  });

  test('create and update check the bucket, and change nothing when it cannot be had', async () => {
    const taskId = await begin();
    const create = (bucket: string) => dis.createTask(stream, { task_name: 'new', obs_bucket_path: bucket });
    const update = (bucket: string) => dis.updateTask(stream, { task_name: 'task', obs_bucket_path: bucket });
    for (const attempt of [create, update]) {
      proxy.heal();
      for (const missing of ['missing', 'NOT_A_BUCKET_NAME', '../bucket']) {
        expectError(await attempt(missing), 400, 'DIS.4306');
      }
      const refusals: readonly [Fault, RegExp][] = [
        [UNAVAILABLE, /\[bucket\]\[503/],
        [{ status: 403, code: 'InvalidAccessKeyId' }, /\[bucket\]\[403/],
        ['hang', /\[no answer for 1 s\]$/],
        ['cut', /\[ECONNRESET\]$/],
      ];
      for (const [fault, message] of refusals) {
        proxy.fail(({ method }) => (method === 'HEAD' ? fault : undefined));
        expectError(await attempt('bucket'), 400, 'DIS.4310', message);
      }
    }
    proxy.heal();
    expectError(await dis.showTask(stream, 'new'), 400, 'DIS.4354');
    await putRound();
    const log = await check(taskId);
    assert.deepEqual(new Set(log.map(({ taskVersion }) => taskVersion)), new Set([1]));
  });

  test('a service that is not there at all', async (t) => {
    const lonely = await startServer({
      env: {
        SLUICE_S3_ENDPOINT: 'http://127.0.0.1:1',
        SLUICE_S3_ACCESS_KEY: 'a',
        SLUICE_S3_SECRET_KEY: 'b',
        SLUICE_S3_TIMEOUT_SECONDS: '1',
      },
    });
    t.after(() => lonely.stop());
    const other = await DisClient.login(lonely);
    t.after(() => other.close());
    await other.createStream('s');
    const answer = await other.createTask('s', { task_name: 'task', obs_bucket_path: 'bucket' });
    expectError(answer, 400, 'DIS.4310', /\[bucket\]\[ECONNREFUSED\]$/);
  });

  test('no secret is in the log of the server', () => {
    assert.ok(server.log.length > 0);
    for (const secret of [SECRET_KEY, s3.accessKey, server.credentials.password])
      assert.ok(!server.log.includes(secret));
  });
});
