/** What holds for every operation: paths, bodies, headers, limits, and the form of refusals. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ApiClient, type Target } from '../../support/api-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import { exchange } from '../../support/raw-http.ts';

const BODY_LIMIT = 12 * 1024 * 1024;
const HEADER_LIMIT = 64 * 1024;

export function runHttpConformance(getTarget: () => Target): void {
  describe('http', () => {
    const stream = `h${randomBytes(4).toString('hex')}`;
    let baseUrl: string;
    let client: ApiClient;
    let token: string;
    let streams: string;

    before(async () => {
      const target = getTarget();
      baseUrl = target.baseUrl;
      client = new ApiClient(baseUrl);
      token = await client.login(target.credentials);
      streams = `/v2/${target.credentials.projectId}/streams`;
    });
    after(() => client.close());

    const create = (body: unknown, headers = {}) => client.call('POST', streams, { token, body, headers });
    const remove = () => client.call('DELETE', `${streams}/${stream}`, { token });
    const BODY = { stream_name: stream, partition_count: 1 };

    test('health needs no token', async () => {
      const answer = await client.call('GET', '/healthz');
      expectJson(answer);
      assert.deepEqual(answer.json, { status: 'ok' });
      assert.equal((await client.call('HEAD', '/healthz')).status, 200);
    });

    test('readiness needs no token, and names what the server depends on', async () => {
      const answer = await client.call('GET', '/readyz');
      expectJson(answer);
      assert.equal(answer.json.status, 'ready');
      assert.deepEqual(answer.json.checks, { catalog: 'ok', membership: 'ok', record_log: 'ok' });
      assert.equal((await client.call('HEAD', '/readyz')).status, 200);
      expectError(await client.call('POST', '/readyz'), 404, 'DIS.4200');
    });

    test('every answer has a request id of its own, whatever the caller sends', async () => {
      const ids = new Set<unknown>();
      for (const path of ['/healthz', '/nowhere', streams]) {
        for (const headers of [{}, { 'X-Request-Id': 'mine' }]) {
          ids.add((await client.call('GET', path, { headers })).headers['x-request-id']);
        }
      }
      assert.equal(ids.size, 6);
      assert.ok(!ids.has(undefined) && !ids.has('mine'));
    });

    test('paths are served with and without a slash at the end', async () => {
      expectEmpty(await client.call('POST', `${streams}/`, { token, body: BODY }), 201);
      expectJson(await client.call('GET', `${streams}/`, { token }));
      expectJson(await client.call('GET', `${streams}/${stream}/?limit_partitions=1&`, { token }));
      expectJson(await client.call('GET', '/healthz/'));
      expectEmpty(await client.call('DELETE', `${streams}/${stream}/?stream_name=${stream}`, { token }), 204);
    });

    test('unknown paths and methods', async () => {
      for (const [method, path] of [
        ['GET', '/'],
        ['GET', '/v2'],
        ['GET', '/v2/x/nothing'],
        ['PUT', streams],
        ['PATCH', `${streams}/${stream}`],
        ['OPTIONS', streams],
        ['PATCH', '/v3/auth/tokens'],
        ['POST', '/healthz'],
      ] as const) {
        expectError(await client.call(method, path, { token }), 404, 'DIS.4200', /^No such operation\. /);
      }
      expectError(await client.call('GET', '/v2/x/nothing'), 404, 'DIS.4200');
    });

    test('a path that cannot be decoded, and one without end', async () => {
      expectError(await client.call('GET', `${streams}/%zz`, { token }), 400, 'DIS.4200');
      expectError(await client.call('GET', `${streams}/${'x'.repeat(1025)}`, { token }), 400, 'DIS.4200');
    });

    test('JSON is JSON under any content type, or none', async () => {
      for (const type of [
        'application/json',
        'application/json; charset=utf-8',
        'application/json;charset=UTF-8',
        'text/plain',
        'application/x-www-form-urlencoded',
        undefined,
      ]) {
        expectEmpty(await create(BODY, { 'Content-Type': type }), 201);
        expectEmpty(await remove(), 204);
      }
    });

    test('forms of bodies that are not served', async () => {
      expectError(await create(BODY, { 'Content-Type': 'application/x-protobuf; charset=utf-8' }), 415, 'DIS.4200');
      for (const encoding of ['gzip', 'br', 'deflate', 'lz4, snappy', 'x']) {
        expectError(await create(BODY, { 'Content-Encoding': encoding }), 415, 'DIS.4200');
      }
      expectEmpty(await create(BODY, { 'Content-Encoding': 'identity' }), 201);
      expectEmpty(await remove(), 204);
    });

    test('broken bodies', async () => {
      for (const body of ['{', 'stream_name=x', '{"stream_name":"x"}}', "{'a':1}", '\u{feff}{}']) {
        expectError(await create(body), 400, 'DIS.4300', /\[body\]\[must be JSON\]/);
      }
      expectError(await create(Buffer.from([0x22, 0xff, 0x22])), 400, 'DIS.4300', /\[body\]\[must be UTF-8\]/);
      for (const body of ['[]', '7', '"text"']) expectError(await create(body), 400, 'DIS.4300');
      for (const body of [undefined, '', 'null']) {
        expectError(await create(body, { 'Content-Type': 'application/json' }), 400, 'DIS.4202');
      }
      expectError(await create(`${'['.repeat(500_000)}${']'.repeat(500_000)}`), 400, 'DIS.4300');
    });

    test('members that poison prototypes are members like any other', async () => {
      const text = `{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}},"stream_name":"${stream}","partition_count":1}`;
      expectEmpty(await create(text), 201);
      expectEmpty(await remove(), 204);
      const inherited = `{"__proto__":{"stream_name":"${stream}","partition_count":1}}`;
      expectError(await create(inherited), 400, 'DIS.4300', /\[stream_name\]/);
    });

    test('bodies on GET and DELETE are tolerated', async () => {
      expectJson(await client.call('GET', streams, { token, body: { label: 'x' } }));
      expectJson(await client.call('GET', streams, { token, headers: { 'Content-Type': 'application/json' } }));
      expectEmpty(await create(BODY), 201);
      expectEmpty(await client.call('DELETE', `${streams}/${stream}`, { token, body: { stream_name: stream } }), 204);
    });

    test('a body may have 12 MiB and no byte more', async () => {
      const padded = (length: number) => {
        const body = Buffer.alloc(length, ' ');
        body.write(JSON.stringify(BODY));
        return body;
      };
      expectEmpty(await create(padded(BODY_LIMIT)), 201);
      expectEmpty(await remove(), 204);
      expectError(await create(padded(BODY_LIMIT + 1)), 413, 'DIS.4300');
      const chunked = { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' };
      expectError(await create(padded(BODY_LIMIT + 1), chunked), 413, 'DIS.4300');
      // The connection that was refused does not take others with it.
      expectJson(await client.call('GET', streams, { token }));
    });

    test('a large body without a token is refused as such', async () => {
      const answer = await client.call('POST', streams, { body: Buffer.alloc(4 * 1024 * 1024, ' ') });
      expectError(answer, 401, 'DIS.4113');
    });

    test('headers may have 64 KiB and not much more', async () => {
      const filler = (length: number) => ({ 'X-Filler': 'x'.repeat(length) });
      expectJson(await client.call('GET', '/healthz', { headers: filler(HEADER_LIMIT - 1024) }));
      expectError(await client.call('GET', '/healthz', { headers: filler(HEADER_LIMIT) }), 431, 'DIS.4200');
    });

    test('bytes that are not HTTP are answered and hung up on', async () => {
      const answer = await exchange(baseUrl, 'hello\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.match(answer, /\r\nX-Request-Id: [0-9a-f]{32}\r\n/);
      assert.match(answer, /\{"errorCode":"DIS\.4200",/);
    });

    test('a caller that hangs up in the middle of a body hurts nobody', async () => {
      await exchange(
        baseUrl,
        `POST ${streams} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${token}\r\nContent-Length: 100\r\n\r\n{"stream`,
        { hangUp: true },
      );
      expectJson(await client.call('GET', streams, { token }));
    });
  });
}
