import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runSluice, spawnSluice, type Ended } from '../support/cli.ts';
import { DisClient, eventually, toBase64 } from '../support/dis-client.ts';
import { expectEmpty } from '../support/expect.ts';
import { CREDENTIALS, startServer, type TestServer } from '../support/server.ts';

describe('the commands that ask a running server', () => {
  let server: TestServer;
  let dis: DisClient;
  let beside: string[];
  let sluice: (...args: string[]) => Promise<Ended>;

  before(async () => {
    server = await startServer({ env: { SLUICE_MIN_DELIVER_INTERVAL: '1' } });
    dis = await DisClient.login(server);
    // What the server was told by its environment stands in no file: the commands are told too.
    const { projectId, accessKey, secretKey } = CREDENTIALS;
    const config = { project_id: projectId, access_key: accessKey, secret_key: secretKey };
    await writeFile(join(server.dataDir, 'cli.yaml'), JSON.stringify(config));
    beside = ['--config', join(server.dataDir, 'cli.yaml'), '--endpoint', server.baseUrl];
    sluice = (...args) => {
      // Before a test's own flags, which win, and behind the words of the command.
      const flag = args.findIndex((arg) => arg.startsWith('--'));
      const words = flag === -1 ? args.length : flag;
      return runSluice([...args.slice(0, words), ...beside, ...args.slice(words)]);
    };
    await dis.createStream('orders', 2);
    await dis.addTask('orders', 'archive');
  });
  after(() => server.stop());

  test('stop and start, by name and by id', async () => {
    const stopped = await sluice('task', 'stop', 'orders/archive');
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /^task +archive\nstream +orders\nid +\w{19}\nstate +PAUSED\n$/);
    const id = await dis.taskId('orders', 'archive');
    const started = await sluice('task', 'start', id, '--json');
    assert.deepEqual([started.code, started.stderr], [0, '']);
    assert.equal(JSON.parse(started.stdout).id, id);
    await eventually('it runs', async () => (await dis.showTask('orders', 'archive')).json.state === 'RUNNING');
  });

  test('a backfill: looked at, made, waited for, listed, paused, resumed and cancelled', async () => {
    await dis.store('orders', [
      { data: toBase64('a'), partition_id: '0' },
      { data: toBase64('b'), partition_id: '0' },
      { data: toBase64('c'), partition_id: '1' },
    ]);
    const dry = await sluice('backfill', 'orders/archive', '--prefix', 'again', '--from', '0:1', '--dry-run');
    assert.deepEqual([dry.code, dry.stderr], [0, '']);
    assert.match(
      dry.stdout,
      /^PARTITION +FROM +TO +RECORDS +BYTES +TRUNCATED\nshardId-0000000000 +1 +2 +1 +\d+\nall +1 +\d+\n$/,
    );
    assert.equal((await sluice('backfills', 'orders/archive')).stdout.split('\n').length, 2, 'nothing was made');

    const task = await dis.taskId('orders', 'archive');
    const set = ['--set', 'record_delimiter=;', 'partition_format=yyyy'];
    const done = await sluice('backfill', task, '--prefix', 'again', '--to', '0s', ...set, '--wait', '--json');
    assert.deepEqual([done.code, done.stderr], [0, '']);
    const { backfill, ...fields } = JSON.parse(done.stdout) as Record<string, string>;
    assert.deepEqual(fields, { state: 'FINISHED', records: 3, left: 0, discarded: 0 });
    const keys = (await dis.wholeLog(backfill!)).map(({ objectKey }) => objectKey);
    assert.equal(keys.length, 2);
    for (const key of keys) assert.match(key, /^again\/\d{4}\/[^/]+$/);

    const listed = await sluice('backfills', 'orders/archive');
    assert.match(listed.stdout, new RegExp(`\\n${backfill} +FINISHED +\\S+ +3 +0 +0\\n$`));
    for (const action of ['pause', 'resume']) {
      const changed = await sluice('backfill', action, backfill!);
      assert.match(changed.stdout, /^backfill +\w{19}\nstate +FINISHED\n/, changed.stderr);
    }
    const cancelled = await sluice('backfill', 'cancel', backfill!);
    assert.match(cancelled.stdout, /cancelled +yes\n$/, cancelled.stderr);
    assert.equal((await sluice('backfill', 'cancel', backfill!)).code, 2);
    assert.match((await sluice('backfill', 'cancel', task)).stderr, /is no backfill\n$/);
  });

  test('a redrive, waited for', async () => {
    await dis.createStream('letters', 1, { data_type: 'JSON' });
    const by = (path: string) => ({
      obs_bucket_path: 'bucket',
      file_prefix: 'l',
      deliver_time_interval: 1,
      path_template: path,
    });
    const id = await dis.addTask('letters', 'task', by('a={$.a}'));
    await dis.store('letters', [{ data: toBase64('{"a":[]}') }, { data: toBase64('{"a":[],"b":[]}') }]);
    await eventually('dead letters', async () => (await dis.wholeLog(id)).length > 0);
    expectEmpty(await dis.changeTasks('letters', 'stop', id), 200);
    const waiting = spawnSluice(['redrive', ...beside, id, '--wait']);
    let remarks = '';
    for await (const piece of waiting.stderr.setEncoding('utf8')) {
      remarks += piece;
      if (remarks === 'note: the task is stopped\n') expectEmpty(await dis.changeTasks('letters', 'start', id), 200);
    }
    assert.equal(remarks, 'note: the task is stopped\n');
    const failed = await sluice('redrive', 'letters/task', '--wait');
    assert.deepEqual([failed.code, failed.stderr], [1, '']);
    assert.match(failed.stdout, /^task +task\nstream +letters\nobjects +1\nrecords +2\ndead +2\n$/);
    await dis.updateTask('letters', { task_name: 'task', ...by('b={$.b}') });
    const half = await sluice('redrive', id, '--wait', '--json');
    assert.deepEqual(
      [half.code, JSON.parse(half.stdout)],
      [1, { task: 'task', stream: 'letters', objects: 1, records: 2, dead: 1 }],
    );
    await dis.updateTask('letters', { task_name: 'task', ...by('all') });
    assert.equal((await sluice('redrive', id)).code, 0);
    const rest = await sluice('redrive', id, '--wait');
    assert.equal(rest.code, 0, rest.stdout);
  });

  test('what cannot be done is told in one line', async () => {
    const lines: [string[], RegExp][] = [
      [['orders/nothing'], /^sluice: DIS\.4354 Transfer task does not exist\. \[nothing\]\[orders\]\n$/],
      [['nowhere/archive'], /^sluice: DIS\.4301 Stream does not exist\./],
      [['A'.repeat(19)], /^sluice: DIS\.4354 /],
      [['archive'], /^sluice: archive is neither stream\/task nor the id of a task\n$/],
      [['orders/archive', '--project', 'f'.repeat(32)], /^sluice: DIS\.4117 /],
      [
        ['orders/archive', '--endpoint', await closedAddress()],
        /^sluice: http:\/\/127\.0\.0\.1:\d+ is not reached: .*ECONNREFUSED/,
      ],
      [['orders/archive', '--endpoint', 'ftp://x'], /^sluice: ftp:\/\/x is no http or https URL\n$/],
    ];
    for (const [args, message] of lines) {
      const { code, stdout, stderr } = await sluice('task', 'stop', ...args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    }
  });
});

test('over TLS, with credentials of the environment: a key, or a password and the only project there is', async () => {
  const server = await startServer({ tls: true });
  const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  try {
    const dis = await DisClient.login(server);
    await dis.createStream('orders');
    await dis.addTask('orders', 'archive', { deliver_time_interval: 30 });
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, server.ca!);
    const { projectId, accessKey, secretKey, domain, user, password } = CREDENTIALS;
    const stop = (env: Record<string, string>) =>
      runSluice(['task', 'stop', 'orders/archive', '--data-dir', folder], '', {
        SLUICE_ENDPOINT: server.baseUrl,
        ...env,
      });
    const trust = { NODE_EXTRA_CA_CERTS: ca };
    const key = { SLUICE_ACCESS_KEY: accessKey, SLUICE_SECRET_KEY: secretKey };
    const login = { SLUICE_DOMAIN: domain, SLUICE_USER: user, SLUICE_PASSWORD: password };
    for (const env of [{ ...key, SLUICE_PROJECT_ID: projectId }, key, login]) {
      const stopped = await stop({ ...trust, ...env });
      assert.deepEqual([stopped.code, stopped.stderr], [0, '']);
      assert.match(stopped.stdout, /state +PAUSED\n$/);
    }
    const refused: [Record<string, string>, RegExp][] = [
      [key, /is not reached: .*(?:certificate|self-signed)/],
      [trust, /^sluice: no credentials: /],
      [{ ...trust, ...key, SLUICE_SECRET_KEY: 'wrong' }, /^sluice: DIS\.4100 /],
      [{ ...trust, ...login, SLUICE_PASSWORD: 'wrong' }, /^sluice: DIS\.4114 /],
    ];
    for (const [env, message] of refused) {
      const { code, stderr } = await stop(env);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
    dis.close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
});

/** Where nobody listens. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
