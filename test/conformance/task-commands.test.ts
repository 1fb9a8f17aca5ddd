import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runSluice, type Ended } from '../support/cli.ts';
import { DisClient, eventually } from '../support/dis-client.ts';
import { CREDENTIALS, startServer, type TestServer } from '../support/server.ts';

describe('the commands that ask a running server', () => {
  let server: TestServer;
  let dis: DisClient;
  let sluice: (...args: string[]) => Promise<Ended>;

  before(async () => {
    server = await startServer({ env: { SLUICE_MIN_DELIVER_INTERVAL: '1' } });
    dis = await DisClient.login(server);
    // What the server was told by its environment stands in no file: the commands are told too.
    const { projectId, accessKey, secretKey } = CREDENTIALS;
    const config = { project_id: projectId, access_key: accessKey, secret_key: secretKey };
    await writeFile(join(server.dataDir, 'cli.yaml'), JSON.stringify(config));
    const beside = ['--config', join(server.dataDir, 'cli.yaml'), '--endpoint', server.baseUrl];
    // Behind the two words of a command, so that a test's own flags win.
    sluice = (...args) => runSluice([...args.slice(0, 2), ...beside, ...args.slice(2)]);
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

  test('what cannot be done is told in one line', async () => {
    const lines: [string[], RegExp][] = [
      [['orders/nothing'], /^sluice: DIS\.4354 Transfer task does not exist\. \[nothing\]\[orders\]\n$/],
      [['nowhere/archive'], /^sluice: DIS\.4301 Stream does not exist\./],
      [['A'.repeat(19)], /^sluice: DIS\.4354 /],
      [['archive'], /^sluice: archive is neither stream\/task nor the id of a task\n$/],
      [['orders/archive', '--project', 'f'.repeat(32)], /^sluice: DIS\.4117 /],
      [
        ['orders/archive', '--endpoint', 'http://127.0.0.1:1'],
        /^sluice: http:\/\/127\.0\.0\.1:1 is not reached: .*ECONNREFUSED/,
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
