import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ACCOUNTS, credentialsOf } from '../support/accounts.ts';
import { NODES, ON_CLUSTER } from '../support/backend.ts';
import { runSluice } from '../support/cli.ts';
import { DisClient, eventually } from '../support/dis-client.ts';
import { expectError, expectJson } from '../support/expect.ts';
import { CREDENTIALS, startServer, type TestServer } from '../support/server.ts';

interface Node {
  readonly name: string;
  readonly id: string;
  readonly url: string;
  readonly all_work: boolean;
  readonly partitions: number;
  readonly tasks: number;
  readonly jobs: readonly string[];
}

describe('nodes', () => {
  let server: TestServer;
  let dis: DisClient;
  before(async () => {
    server = await startServer({ config: { accounts: ACCOUNTS } });
    dis = await DisClient.login(server);
  });
  after(async () => {
    dis.close();
    await server.stop();
  });
  const list = async () => {
    const answer = await dis.http.call('GET', '/v1/nodes', { token: dis.token });
    expectJson(answer);
    return answer.json as { readonly answered_by: string; readonly nodes: readonly Node[] };
  };
  const sum = (nodes: readonly Node[], of: (node: Node) => number) =>
    nodes.reduce((total, node) => total + of(node), 0);

  test('every node is there; together they have all the work', async () => {
    await dis.createStream('orders', 6);
    await dis.addTask('orders', 'archive');
    const { nodes, answered_by } = await eventually('all has an owner', list, ({ nodes: found }) =>
      ON_CLUSTER ? sum(found, ({ partitions, tasks }) => partitions + tasks) === 7 : found.length === 1,
    );
    assert.equal(nodes.length, NODES);
    assert.ok(nodes.some(({ id }) => id === answered_by));
    for (const { url, all_work } of nodes) {
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.equal(all_work, !ON_CLUSTER);
    }
    if (!ON_CLUSTER) return;
    const jobs = nodes.flatMap((node) => node.jobs).toSorted();
    assert.deepEqual(jobs, [...new Set(jobs)], 'each is done by one node');
    assert.ok(jobs.includes('retention'));
  });

  test('administrators alone are told', async () => {
    for (const role of ['operator', 'user'] as const) {
      const other = await DisClient.login(server, credentialsOf('north', role));
      expectError(await other.http.call('GET', '/v1/nodes', { token: other.token }), 403, 'DIS.4116');
      other.close();
    }
    expectError(await dis.http.call('GET', '/v1/nodes'), 401, 'DIS.4113');
  });

  test('sluice nodes', async () => {
    const { projectId, accessKey, secretKey } = CREDENTIALS;
    const file = join(server.dataDir, 'cli.yaml');
    await writeFile(file, JSON.stringify({ project_id: projectId, access_key: accessKey, secret_key: secretKey }));
    const args = ['nodes', '--config', file, '--endpoint', server.baseUrl];
    const { code, stdout, stderr } = await runSluice(args);
    assert.deepEqual([code, stderr], [0, '']);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    assert.match(head!, /^NAME +URL +VERSION +STARTED +SEEN +BEHIND +PARTITIONS +TASKS +JOBS$/);
    assert.equal(rows.length, NODES);
    const json = JSON.parse((await runSluice([...args, '--json'])).stdout) as { readonly nodes: readonly Node[] };
    assert.deepEqual(
      json.nodes.map(({ name }) => name),
      (await list()).nodes.map(({ name }) => name),
    );
  });
});
