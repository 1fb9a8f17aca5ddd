import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ApiClient } from '../support/api-client.ts';
import { expectEmpty, expectJson } from '../support/expect.ts';
import { openSocket, readToEnd } from '../support/raw-http.ts';
import { failToStart, startServer, type TestServer } from '../support/server.ts';
import { runHttpConformance } from './suites/http.ts';

let server: TestServer;
before(async () => (server = await startServer({ env: { SLUICE_LOG_LEVEL: 'debug' } })));
after(() => server.stop());

runHttpConformance(() => server);

test('the access log tells operation and status, and nothing that is secret', async () => {
  const token = await server.client.login(server.credentials);
  await server.client.call('GET', `/v2/${server.projectId}/streams`, {
    token,
    query: { start_stream_name: 'private' },
  });
  const lines = server.log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(
    lines.some(({ operation, status, requestId }) => operation === 'listStreams' && status === 200 && requestId),
  );
  for (const secret of [token, server.credentials.password, 'private']) assert.ok(!server.log.includes(secret), secret);
});

test('a second server on the same data directory does not start, and the first goes on', async () => {
  const { code, stderr } = await failToStart({ dataDir: server.dataDir });
  assert.equal(code, 1);
  assert.match(stderr, /^sluice: the data directory \S+ is in use by another sluice process\n$/);
  expectJson(await server.client.call('GET', '/healthz'));
});

test('a failed start says why in one line', async (t) => {
  const other = await startServer();
  t.after(() => other.stop());
  const { port } = new URL(server.baseUrl);
  await other.kill('SIGTERM');
  const taken = await failToStart({ dataDir: other.dataDir, args: ['--listen', `127.0.0.1:${port}`] });
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, new RegExp(`^sluice: 127\\.0\\.0\\.1:${port} is in use by another process\n$`));
  const config = await failToStart({ dataDir: other.dataDir, env: { SLUICE_AUTH_FAILURE_STATUS: '402' } });
  assert.equal(config.code, 1);
  assert.match(config.stderr, /^sluice: auth\.failure_status: .+\n$/);
  // What failed to start let go of everything.
  await other.restart();
});

test('a request that is running when SIGTERM arrives is finished; a later one is refused', async (t) => {
  const draining = await startServer();
  t.after(() => draining.stop());
  const token = await draining.token();
  const body = JSON.stringify({ stream_name: 'last', partition_count: 1 });
  const head = (contentLength: number) =>
    `POST /v2/${draining.projectId}/streams HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\nContent-Length: ${contentLength}\r\n`;

  const running = await openSocket(draining.baseUrl);
  running.write(`${head(body.length)}\r\n${body.slice(0, 10)}`);
  const late = await openSocket(draining.baseUrl);
  late.write(head(body.length));
  // Until the server has read both: on a connection that was made after theirs, it answers after it has.
  const probe = new ApiClient(draining.baseUrl);
  t.after(() => probe.close());
  expectJson(await probe.call('GET', '/healthz'));

  const answers = Promise.all([readToEnd(running), readToEnd(late)]);
  const ended = draining.kill('SIGTERM');
  await refusesConnections(draining.baseUrl);
  running.write(body.slice(10));
  late.write(`\r\n${body}`);
  const [finished, refused] = await answers;
  assert.match(finished, /^HTTP\/1\.1 201 /);
  assert.match(finished, /\r\nconnection: close\r\n/i);
  assert.match(refused, /^HTTP\/1\.1 503 /);
  assert.match(refused, /\r\nconnection: close\r\n/i);
  assert.match(refused, /"errorCode":"DIS\.5004"/);
  assert.equal(await ended, 0);

  await draining.restart();
  const streams = `/v2/${draining.projectId}/streams`;
  expectEmpty(await draining.client.call('DELETE', `${streams}/last`, { token }), 204);
});

test('a stop does not wait for ever, and a second signal not at all', async (t) => {
  for (const seconds of ['1', '60']) {
    const stuck = await startServer({ env: { SLUICE_SHUTDOWN_SECONDS: seconds } });
    t.after(() => stuck.stop());
    const socket = await openSocket(stuck.baseUrl);
    const token = await stuck.token();
    socket.write(
      `POST /v2/${stuck.projectId}/streams HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\nContent-Length: 9\r\n\r\n`,
    );
    expectJson(await stuck.client.call('GET', '/healthz'));
    const closed = once(socket.resume(), 'close');
    socket.on('error', () => undefined);
    const ended = stuck.kill('SIGTERM');
    if (seconds === '60') {
      await refusesConnections(stuck.baseUrl);
      process.kill(stuck.pid, 'SIGTERM');
    }
    assert.equal(await ended, seconds === '60' ? 1 : 0);
    await closed;
  }
});

/** Resolves once nobody listens any more. */
async function refusesConnections(baseUrl: string): Promise<void> {
  for (;;) {
    try {
      (await openSocket(baseUrl)).destroy();
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
