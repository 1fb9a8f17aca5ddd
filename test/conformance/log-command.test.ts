import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { delivered } from '../support/checker.ts';
import { runSluice, spawnSluice, type Ended } from '../support/cli.ts';
import { DisClient, eventually, toBase64, type LogEntry } from '../support/dis-client.ts';
import { CREDENTIALS, startServer, type TestServer } from '../support/server.ts';

const ID = 'a'.repeat(19);

describe('sluice log', () => {
  let server: TestServer;
  let dis: DisClient;
  let taskId: string;
  let rows: LogEntry[];
  let beside: string[];
  let log: (...args: string[]) => Promise<Ended>;

  before(async () => {
    server = await startServer();
    dis = await DisClient.login(server);
    const { projectId, accessKey, secretKey } = CREDENTIALS;
    const config = { project_id: projectId, access_key: accessKey, secret_key: secretKey };
    await writeFile(join(server.dataDir, 'cli.yaml'), JSON.stringify(config));
    beside = ['--config', join(server.dataDir, 'cli.yaml'), '--endpoint', server.baseUrl];
    log = (...args) => runSluice(['log', ...beside, ...args]);

    await dis.createStream('orders', 2);
    taskId = await dis.addTask('orders', 'archive');
    const put = (size: number) =>
      dis.store(
        'orders',
        [0, 1].map((partition) => ({ data: toBase64('x'.repeat(size + partition)), partition_id: String(partition) })),
      );
    await put(10);
    await delivered(dis, 'orders', 'archive');
    // A file where a folder should be.
    const bucket = join(server.dataDir, 'objects', 'bucket');
    await rename(bucket, `${bucket}-aside`);
    await writeFile(bucket, '');
    await put(20);
    await eventually(
      'failed attempts',
      async () => (await dis.wholeLog(taskId)).filter(({ state }) => state === 1).length >= 2,
    );
    await rm(bucket);
    await rename(`${bucket}-aside`, bucket);
    await delivered(dis, 'orders', 'archive');
    rows = await dis.wholeLog(taskId);
  });
  after(() => server.stop());

  /** What the command says of the entries, as JSON lines. */
  const entries = async (...args: string[]): Promise<LogEntry[]> => {
    const { code, stdout, stderr } = await log('orders/archive', '--format', 'json', ...args);
    assert.deepEqual([code, stderr], [0, '']);
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogEntry);
  };

  test('a table for people: the newest last, by name and by id', async () => {
    const byName = await log('orders/archive');
    assert.deepEqual([byName.code, byName.stderr], [0, '']);
    const [head, ...lines] = byName.stdout.split('\n').slice(0, -1);
    assert.match(head!, /^TIME \(UTC\) +STATE +PART +SEQUENCES +RECORDS +SIZE +FILE$/);
    assert.equal(lines.length, Math.min(20, rows.length));
    for (const [index, line] of lines.entries()) {
      const row = rows.at(index - lines.length)!;
      assert.ok(line.includes(row.transferFileName), line);
      assert.match(line, row.state === 0 ? /^\S+ \S+ {2}delivered / : /^\S+ \S+ {2}failed .*OBS cannot be accessed/);
    }
    assert.equal((await log(taskId)).stdout, byName.stdout);
  });

  test('as JSON the entries of the API, as CSV its export', async () => {
    assert.deepEqual(await entries(), rows);
    const { stdout } = await log(taskId, '--format', 'csv');
    const exported = await dis.http.call('GET', `/v1/transfertasklog/${taskId}/export`, {
      token: dis.token,
      query: { format: 'csv' },
    });
    assert.equal(stdout, exported.text);
    const { stdout: page } = await log(taskId, '--format', 'csv', '--limit', '1000');
    assert.equal(page, exported.text);
    const nothing = ['--format', 'csv', '--until', '1h'];
    const [names] = exported.text.split('\r\n');
    for (const args of [nothing, [...nothing, '--limit', '1']]) {
      assert.equal((await log(taskId, ...args)).stdout, `${names}\r\n`);
    }
  });

  test('filters', async () => {
    const [first] = rows;
    assert.deepEqual(
      await entries('--state', 'failed'),
      rows.filter(({ state }) => state === 1),
    );
    assert.deepEqual(await entries('--state', 'failed', 'delivered'), rows);
    assert.deepEqual(
      await entries('--partition', '1'),
      rows.filter(({ partitionId }) => /1$/.test(partitionId)),
    );
    assert.deepEqual(await entries('--file', first!.transferFileName), [first]);
    assert.deepEqual(await entries('--file', `${taskId}*`), rows);
    assert.deepEqual(await entries('--since', '1h'), rows);
    assert.deepEqual(await entries('--until', '1h'), []);
    assert.deepEqual(
      await entries('--since', String(first!.createTime), '--until', String(first!.createTime + 1), '--limit', '99'),
      rows.filter(({ createTime }) => createTime === first!.createTime),
    );
    // Times without a zone are UTC, wherever the command runs.
    const since = new Date(first!.createTime).toISOString().slice(0, -1);
    const far = await runSluice(['log', ...beside, taskId, '--json', '--since', since], '', { TZ: 'America/New_York' });
    assert.deepEqual(far.stdout, (await log(taskId, '--json')).stdout);
    assert.deepEqual(await entries('--dead-letters'), []);
    assert.deepEqual(await entries('--kind', 'merge', 'redrive'), []);
  });

  test('orders and limits', async () => {
    assert.deepEqual(await entries('--limit', '2'), rows.slice(-2));
    assert.deepEqual(await entries('--ascending', '--limit', '3'), rows.slice(0, 3));
    const bytes = (await entries('--sort', 'bytes', '--limit', '4')).map(({ transferBytes }) => transferBytes);
    assert.deepEqual(bytes, [22, 21, 12, 11]);
    const up = (await entries('--sort', 'bytes', '--ascending')).map(({ transferBytes }) => transferBytes);
    assert.deepEqual(up.slice(-4), bytes.toReversed());
  });

  test('what cannot be done is told in one line', async () => {
    for (const [args, message] of [
      [['orders/nothing'], /^sluice: DIS\.4354 /],
      [['orders/archive', '--since', 'soon'], /^sluice: soon is no time: /],
      [['orders/archive', '--limit', '0'], /^sluice: --limit 0 is no number of entries/],
      [['orders/archive', '--partition', 'x'], /^sluice: DIS\.4300 .*\[filter\.partitionId\]/],
      [['orders/archive', '--file', 'a*b', '--format', 'csv'], /^sluice: DIS\.4200 .*\[fileName\]/],
      // Not the whole log.
      [['orders/archive', '--file', ''], /^sluice: DIS\.4300 .*\[filter\.fileName\]/],
      [['orders/archive', '--file', '', '--json'], /^sluice: DIS\.4200 .*\[fileName\]/],
      [['orders/archive', '--partition', '', '--format', 'csv'], /^sluice: DIS\.4200 .*\[partitionId\]/],
    ] as [string[], RegExp][]) {
      const { code, stdout, stderr } = await log(...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, message);
    }
    assert.equal((await log('orders/archive', '--state', 'broken')).code, 2);
  });

  test('follows: what comes, and what becomes of it', async (t) => {
    const id = await dis.addTask('orders', 'followed', { consumer_strategy: 'LATEST' });
    const child = spawnSluice(['log', ...beside, id, '--follow', '--partition', '0']);
    t.after(() => child.kill());
    let output = '';
    child.stdout.on('data', (piece: Buffer) => (output += piece.toString('utf8')));
    // Its head comes when it has seen what there is.
    await eventually('it follows', async () => output !== '');
    for (let round = 1; round <= 2; round += 1) {
      await dis.store(
        'orders',
        [0, 1].map((partition) => ({ data: 'YQ==', partition_id: String(partition) })),
      );
      const lines = () => [...output.matchAll(/ {2}delivered +(\d) /g)].map(([, partition]) => partition);
      await eventually(`file ${round}`, async () => lines().length >= round);
      assert.deepEqual(
        lines(),
        Array.from({ length: round }, () => '0'),
      );
    }
  });
});

test('what comes while the log is first asked for is shown once', async (t) => {
  const entry = (logId: number) => ({ logId, state: 0, givenUp: false, createTime: logId, endTime: logId });
  // By its ends the log is asked for by what follows it, by its plans for what is shown first.
  let shown: object[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString('utf8')));
    request.on('end', () => {
      const first = body.includes('createTimeStr');
      const page = first ? [entry(1)] : shown;
      const answer = { task_id: ID, task_name: 'archive', stream_name: 'orders', transferTaskLogList: page };
      response.end(JSON.stringify(answer));
      if (first) shown = [entry(2), entry(1)];
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const child = spawnSluice(['log', ID, '--follow', '--json', '--project', 'p', '--endpoint', endpoint], {
    SLUICE_ACCESS_KEY: 'key',
    SLUICE_SECRET_KEY: 'secret',
    SLUICE_DATA_DIR: '/nowhere',
  });
  t.after(() => {
    child.kill();
    server.close();
    server.closeAllConnections();
  });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString('utf8')));
  await eventually('it follows', async () => output.includes('"logId":2'));
  assert.deepEqual(
    [...output.matchAll(/"logId":(\d)/g)].map(([, id]) => id),
    ['1', '2'],
  );
});
