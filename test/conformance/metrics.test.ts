import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { NODES } from '../support/backend.ts';
import { DisClient, eventually, toBase64 } from '../support/dis-client.ts';
import { expectError } from '../support/expect.ts';
import { startServer } from '../support/server.ts';
import { startWithTwoProjects, type TwoProjectServer } from '../support/two-projects.ts';
import { runMetricsConformance } from './suites/metrics.ts';

let projects: TwoProjectServer;
before(async () => (projects = await startWithTwoProjects()));
after(() => projects.stop());

runMetricsConformance(() => projects.target);

/** The sums of the last hour. */
async function totals(dis: DisClient, stream: string, ...labels: string[]): Promise<number[]> {
  const answer = await dis.call('GET', `/streams/${stream}/metrics`, { query: { label_list: labels.join(',') } });
  assert.equal(answer.status, 200, answer.text);
  const series = answer.json.metrics_list as { dataPoints: { value: number }[] }[];
  return series.map(({ dataPoints }) => dataPoints.reduce((sum, { value }) => sum + value, 0));
}

test('metrics survive a restart, and a kill as far as they are stored', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  let dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream('s');
  const records = async () => (await totals(dis, 's', 'total_put_records_per_stream'))[0];

  await dis.store('s', [{ data: toBase64('a') }]);
  await server.restart();
  dis = dis.at(server.baseUrl);
  assert.equal(await records(), 1);

  await dis.store('s', [{ data: toBase64('b') }]);
  assert.equal(await records(), 2);
  await server.kill('SIGKILL');
  await server.restart();
  dis = dis.at(server.baseUrl);
  const left = await records();
  assert.ok(left === 1 || left === 2, `${left}`);
});

test('requests that flow control refuses are counted, and are no successes', async (t) => {
  const server = await startServer({ env: { SLUICE_LIMITS_PROFILE: 'dis' } });
  t.after(() => server.stop());
  const dis = await DisClient.login(server);
  t.after(() => dis.close());
  await dis.createStream('s');
  const full = [{ data: toBase64(Buffer.alloc(1024 * 1024)) }];
  // Each node takes as much as the limit says.
  for (let node = 0; node < NODES; node += 1) await dis.store('s', full);
  const put = await dis.put('s', full);
  assert.equal((put.json as { failed_record_count: number }).failed_record_count, 1);
  const cursor = await dis.cursor('s', 0);
  const refusal = await eventually(
    'a read is refused',
    () => dis.get(cursor),
    ({ status }) => status !== 200,
  );
  expectError(refusal, 400, 'DIS.4303');
  const [puts, gets, throttledPuts, throttledGets] = await totals(
    dis,
    's',
    'total_put_req_suc_per_stream',
    'total_get_req_suc_per_stream',
    'traffic_control_put',
    'traffic_control_get',
  );
  assert.deepEqual([puts, throttledPuts, throttledGets], [NODES, 1, 1]);
  assert.ok(gets !== undefined && gets >= 1);
});

test('metrics.public: false asks for the token of an administrator', async (t) => {
  const server = await startServer({ env: { SLUICE_METRICS_PUBLIC: 'false' } });
  t.after(() => server.stop());
  expectError(await server.client.call('GET', '/metrics'), 401, 'DIS.4113');
  const answer = await server.client.call('GET', '/metrics', { token: await server.token() });
  assert.equal(answer.status, 200);
});
