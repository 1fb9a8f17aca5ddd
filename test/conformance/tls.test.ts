import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { ApiClient } from '../support/api-client.ts';
import { makeCertificate } from '../support/certificate.ts';
import { DisClient, eventually, toBase64 } from '../support/dis-client.ts';
import { expectJson } from '../support/expect.ts';
import { failToStart, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
before(async () => (server = await startServer({ tls: true })));
after(() => server.stop());

async function handshake(options: object = {}): Promise<TLSSocket> {
  const { port } = new URL(server.baseUrl);
  const socket = connect({ port: Number(port), host: '127.0.0.1', ca: server.ca!, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

test('puts and gets', async () => {
  assert.match(server.baseUrl, /^https:/);
  const dis = await DisClient.login(server);
  await dis.createStream('secure', 2);
  const data = toBase64(Buffer.alloc(100_000, 'x'));
  await dis.store('secure', [
    { data, partition_id: '0' },
    { data: 'YQ==', partition_id: '1' },
  ]);
  assert.deepEqual(
    (await dis.readAll('secure', 0)).map((record) => record.data),
    [data],
  );
  await dis.deleteStream('secure');
  dis.close();
});

test('versions from 1.2 on are spoken, older ones are not', async () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await handshake({ minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    socket.destroy();
  }
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await assert.rejects(handshake(old), /protocol version|ECONNRESET/);
});

test('the lowest version can be raised', async (t) => {
  const modern = await startServer({ tls: true, env: { SLUICE_TLS_MIN_VERSION: 'TLSv1.3' } });
  t.after(() => modern.stop());
  const { port } = new URL(modern.baseUrl);
  const socket = connect({ port: Number(port), ca: modern.ca!, maxVersion: 'TLSv1.2' });
  await assert.rejects(once(socket, 'secureConnect'), /protocol version|ECONNRESET/);
});

test('whoever speaks plain HTTP is hung up on, and the server goes on', async () => {
  const { port } = new URL(server.baseUrl);
  const socket = connectPlain(Number(port), '127.0.0.1');
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.resume();
  await once(socket, 'close');
  expectJson(await server.client.call('GET', '/healthz'));
});

test('a renewed certificate is shown after SIGHUP, a broken one is not', async () => {
  const files = { cert: join(server.dataDir, '../cert.pem'), key: join(server.dataDir, '../key.pem') };
  const shown = async () => {
    const socket = await handshake({ rejectUnauthorized: false });
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await shown();
  const kept = new ApiClient(server.baseUrl, server.ca);
  expectJson(await kept.call('GET', '/healthz'));

  await writeFile(files.key, 'no key at all');
  process.kill(server.pid, 'SIGHUP');
  await eventually('the server says that the key is broken', async () => /cannot be read again/.test(server.log));
  assert.equal(await shown(), before);

  const ca = await makeCertificate(files);
  process.kill(server.pid, 'SIGHUP');
  await eventually('the new certificate is shown', shown, (fingerprint) => fingerprint !== before);
  // A connection that was there goes on; new ones need to trust the new certificate.
  expectJson(await kept.call('GET', '/healthz'));
  kept.close();
  const fresh = new ApiClient(server.baseUrl, ca);
  expectJson(await fresh.call('GET', '/healthz'));
  fresh.close();
  await assert.rejects(new ApiClient(server.baseUrl, server.ca).call('GET', '/healthz'), /certificate|verif/);
});

test('what cannot be used is said at the start', async (t) => {
  const other = await startServer({ tls: true });
  t.after(() => other.stop());
  await other.kill('SIGTERM');
  const { dataDir } = other;
  const cert = join(dataDir, '../cert.pem');
  const wrong = join(dataDir, '../other-key.pem');
  await makeCertificate({ cert: join(dataDir, '../other.pem'), key: wrong });
  const cases: [Record<string, string>, RegExp][] = [
    [{ SLUICE_TLS_CERT: cert }, /^sluice: tls\.cert: needs tls\.key, and the other way round\n$/],
    [{ SLUICE_TLS_CERT: cert, SLUICE_TLS_KEY: join(dataDir, 'none') }, /^sluice: tls\.key: ENOENT: .+\n$/],
    [{ SLUICE_TLS_CERT: cert, SLUICE_TLS_KEY: wrong }, /^sluice: tls: \S+ and \S+ cannot be used: .+\n$/],
    [{ SLUICE_TLS_CERT: cert, SLUICE_TLS_KEY: cert }, /^sluice: tls: \S+ and \S+ cannot be used: .+\n$/],
    [{ SLUICE_TLS_MIN_VERSION: 'TLSv1.1' }, /^sluice: tls\.min_version: .+\n$/],
  ];
  for (const [env, expected] of cases) {
    const { code, stderr } = await failToStart({ dataDir, env });
    assert.equal(code, 1);
    assert.match(stderr, expected);
  }
  await other.restart();
});
