import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DisClient } from '../support/dis-client.ts';
import { expectEmpty, expectError } from '../support/expect.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { runDumpTasksConformance } from './suites/dump-tasks.ts';

let server: TestServer;
before(async () => (server = await startServer()));
after(() => server.stop());

runDumpTasksConformance(() => server);

test('tasks survive a kill as they were, and the shortest interval is 30 seconds unless told otherwise', async (t) => {
  let dis = await DisClient.login(server);
  await dis.createStream('kept', 2);
  const descriptor = { task_name: 'kept', obs_bucket_path: 'bucket', file_prefix: 'a/b', retry_duration: 5 };
  expectEmpty(await dis.createTask('kept', descriptor), 201);
  expectEmpty(await dis.createTask('kept', { ...descriptor, task_name: 'gone' }), 201);
  expectEmpty(await dis.updateTask('kept', { ...descriptor, record_delimiter: ';' }), 200);
  expectEmpty(await dis.changeTasks('kept', 'stop', await dis.taskId('kept', 'kept')), 200);
  expectEmpty(await dis.deleteTask('kept', 'gone'), 204);
  const shown = (await dis.showTask('kept', 'kept')).json as { state: string };
  assert.equal(shown.state, 'PAUSED');
  await server.kill('SIGKILL');
  await server.restart();
  dis = dis.at(server.baseUrl);
  t.after(() => dis.close());
  assert.deepEqual((await dis.showTask('kept', 'kept')).json, shown);
  expectError(await dis.showTask('kept', 'gone'), 400, 'DIS.4354');

  const strict = await startServer({ env: { SLUICE_MIN_DELIVER_INTERVAL: '' } });
  t.after(() => strict.stop());
  const other = await DisClient.login(strict);
  t.after(() => other.close());
  await other.createStream('s');
  const every = (deliver_time_interval: number) =>
    other.createTask('s', { task_name: `every-${deliver_time_interval}`, obs_bucket_path: 'b', deliver_time_interval });
  expectError(await every(29), 400, 'DIS.4300', /\[deliver_time_interval\]\[must be a whole number from 30 to 900\]/);
  expectEmpty(await every(30), 201);
});
