/** The dump task and dump log routes on a bare fastify: paths, shapes and statuses. The rules have tests of their own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { makePrincipal } from '../../../../test/support/principal.ts';
import fastify, { type InjectOptions } from 'fastify';
import { DumpRig, PROJECT } from '../../../../test/support/dump-rig.ts';
import { validateBody } from '../../body-validation.ts';
import { renderError, toDomainError } from '../../error-renderer.ts';
import { BufferPool } from '../../../platform/buffer-pool.ts';
import { decodeBodies, readBodies } from '../../request-body.ts';
import { parseQuery } from '../../query.ts';
import { queryTransferTaskLogRoute } from '../transfer-task-log/query-transfer-task-log.ts';
import { changeTransferTasksRoute } from './change-transfer-tasks.ts';
import { createTransferTaskRoute } from './create-transfer-task.ts';
import { deleteTransferTaskRoute } from './delete-transfer-task.ts';
import { listTransferTasksRoute } from './list-transfer-tasks.ts';
import { showTransferTaskRoute } from './show-transfer-task.ts';
import { updateTransferTaskRoute } from './update-transfer-task.ts';

const ROUTES = [
  createTransferTaskRoute,
  updateTransferTaskRoute,
  deleteTransferTaskRoute,
  changeTransferTasksRoute,
  listTransferTasksRoute,
  showTransferTaskRoute,
  queryTransferTaskLogRoute,
];
const MAX_BODY_BYTES = 1024 * 1024;
const TASKS = `/v2/${PROJECT}/streams/orders/transfer-tasks`;

function client(rig: DumpRig) {
  const app = fastify({ routerOptions: { querystringParser: parseQuery, ignoreTrailingSlash: true } });
  app.setValidatorCompiler(validateBody);
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = renderError(toDomainError(error), { authFailureStatus: 401 });
    return reply.code(status).send(body);
  });
  readBodies(app, { buffers: new BufferPool(0), maxBytes: MAX_BODY_BYTES });
  app.decorateRequest('principal', null as never);
  app.addHook('onRequest', (request, _reply, done) => {
    request.principal = makePrincipal({ projectId: PROJECT });
    done();
  });
  decodeBodies(app, MAX_BODY_BYTES);
  for (const route of ROUTES) route(app, rig.services);
  return async (method: InjectOptions['method'] & string, url: string, payload?: object) => {
    const reply = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    const json = reply.body === '' ? undefined : reply.json<Record<string, unknown>>();
    return { status: reply.statusCode, text: reply.body, json };
  };
}

const archive = { task_name: 'archive', obs_bucket_path: 'bucket', deliver_time_interval: 60, retry_duration: '5' };

test('a task is made, listed, shown, changed, stopped and deleted', async () => {
  await using rig = await DumpRig.open();
  const call = client(rig);
  const created = await call('POST', `${TASKS}/`, { obs_destination_descriptor: archive });
  assert.deepEqual([created.status, created.text], [201, '']);
  await rig.settle();
  await rig.put(0, 'a', 'b');
  await rig.advance(60_000);

  const list = await call('GET', `${TASKS}?limit=1`);
  const [task] = list.json!['tasks'] as Record<string, unknown>[];
  const id = String(task!['task_id']);
  const now = rig.clock.now();
  const times = { create_time: now - 60_000, last_transfer_timestamp: now };
  const common = { task_id: id, task_name: 'archive', state: 'RUNNING', destination_type: 'OBS', ...times };
  assert.deepEqual(list.json, { total_number: 1, quota: 5, tasks: [common] });

  const show = await call('GET', `${TASKS.replace('streams', 'stream')}/archive`);
  assert.deepEqual(show.json, {
    stream_id: rig.stream.id,
    stream_name: 'orders',
    ...common,
    partitions: [
      {
        partitionId: 'shardId-0000000000',
        state: 'RUNNING',
        discard: 0,
        last_transfer_timestamp: now,
        last_transfer_offset: 2,
        undelivered_records: 0,
      },
    ],
    dead_letters: 0,
    undelivered_records: 0,
    obs_destination_description: {
      obs_bucket_path: 'bucket',
      file_prefix: '',
      partition_format: '',
      deliver_time_interval: 60,
      consumer_strategy: 'LATEST',
      destination_file_type: 'text',
      record_delimiter: '\n',
      retry_duration: 5,
    },
  });

  const updated = await call('PUT', TASKS, { destination_type: 'OBS', obs_destination_descriptor: archive });
  assert.deepEqual([updated.status, updated.text], [200, '']);
  const stopped = await call('POST', `${TASKS}/action`, { action: 'stop', tasks: [{ id }] });
  assert.deepEqual([stopped.status, stopped.text], [200, '']);
  assert.equal(await rig.taskState(id), 'PAUSED');
  assert.equal((await call('DELETE', `${TASKS}/archive`)).status, 204);
  assert.equal((await call('GET', `${TASKS}/archive`)).json!['errorCode'], 'DIS.4354');

  const log = await call('POST', `/v1/transfertasklog/${id}`);
  assert.equal(log.status, 200);
  const [row] = await rig.rows();
  assert.deepEqual(log.json, {
    totalNum: 1,
    message: null,
    errorCode: -1,
    transferTaskLogList: [
      {
        transferTaskId: id,
        state: 0,
        destinationType: 'OBS',
        startTime: now - 60_000,
        endTime: now,
        transferBytes: 4,
        transferRecordsNum: 2,
        transformRecordsNum: 0,
        streamId: rig.stream.id,
        projectId: PROJECT,
        transferFileName: `${id}.orders.0.${now}`,
        num: 0,
        logId: row!.id,
        kind: 'delivery',
        partitionId: 'shardId-0000000000',
        firstSequenceNumber: '0',
        lastSequenceNumber: '1',
        cutFirstSequenceNumber: '0',
        cutLastSequenceNumber: '1',
        cutLogId: row!.id,
        readRecordsNum: 2,
        createTime: now,
        bucket: 'bucket',
        objectKey: row!.object_key,
        path: '',
        periodTime: null,
        checksum: row!.checksum,
        etag: row!.etag,
        attempt: 1,
        taskVersion: 1,
        schemaRevision: 0,
        errorCode: null,
        cause: null,
        givenUp: false,
        deadLettersNum: 0,
        deadLetterKey: null,
        deadLetterBytes: null,
        deadLetterChecksum: null,
        sourceLogId: null,
        redrivenByLogId: null,
        mergeLogId: null,
        supersededTime: null,
        removedTime: null,
        manifest: null,
      },
    ],
    isStreamFound: null,
    streamData: null,
    streamDataList: null,
    transferTaskList: null,
    monitorData: null,
  });
});

test('refusals have their codes', async () => {
  await using rig = await DumpRig.open();
  const call = client(rig);
  const refused = async (code: string, ...args: Parameters<typeof call>) => {
    const { status, json, text } = await call(...args);
    assert.deepEqual([status, json?.['errorCode']], [400, code], text);
  };
  await refused('DIS.4200', 'POST', TASKS, { destination_type: 'DLI', dli_destination_descriptor: {} });
  await refused('DIS.4300', 'POST', TASKS, { destination_type: 'OBS' });
  await refused('DIS.4300', 'POST', TASKS, {});
  const long = { ...archive, deliver_time_interval: '60' };
  await refused('DIS.4300', 'POST', TASKS, { obs_destination_descriptor: long });
  const parquet = { ...archive, destination_file_type: 'parquet' };
  await refused('DIS.4200', 'POST', TASKS, { obs_destination_descriptor: parquet });
  const nowhere = TASKS.replace('orders', 'nowhere');
  await refused('DIS.4301', 'POST', nowhere, { obs_destination_descriptor: archive });
  await refused('DIS.4301', 'GET', nowhere);
  for (const limit of ['0', '11', 'x']) await refused('DIS.4200', 'GET', `${TASKS}?limit=${limit}`);
  await refused('DIS.4300', 'POST', `${TASKS}/action`, { action: 'pause', tasks: [] });
  await refused('DIS.4354', 'POST', `${TASKS}/action`, { action: 'stop', tasks: [{ id: 'x' }] });
  await refused('DIS.4200', 'POST', '/v1/transfertasklog/short');
  await refused('DIS.4354', 'POST', `/v1/transfertasklog/${'A'.repeat(19)}`, {});
  await refused('DIS.4300', 'POST', `/v1/transfertasklog/${'A'.repeat(19)}`, { order: 'up' });
});
