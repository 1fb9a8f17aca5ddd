/**
 * The forms in which requests and answers travel: protobuf, compressed bodies, bodies announced before they are sent, answers
 * without a body.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { compressSync as lz4Compress } from 'lz4-napi';
import { compressSync as snappyCompress } from 'snappy';
import type { Answer, Target } from '../../support/api-client.ts';
import { DisClient, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import {
  decodeGetResult,
  decodePutResult,
  encodePutRequest,
  type ProtobufPutRequest,
  type ProtobufRecord,
} from '../../support/protobuf.ts';
import { openSocket, readToEnd } from '../../support/raw-http.ts';

const MEGABYTE = 1024 * 1024;
const BODY_LIMIT = 12 * MEGABYTE;
const PROTOBUF = 'application/x-protobuf; charset=utf-8';

interface Encoded {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** As the Java client does it. */
const ENCODE: Readonly<Record<string, (body: Buffer) => Encoded>> = {
  lz4: (body) => ({
    bytes: lz4Compress(body).subarray(4),
    headers: { 'Content-Encoding': 'lz4', 'x-dis-lz4-content-length': String(body.length) },
  }),
  snappy: (body) => ({ bytes: snappyCompress(body), headers: { 'Content-Encoding': 'snappy' } }),
  zstd: (body) => ({
    bytes: zstdCompressSync(body),
    headers: { 'Content-Encoding': 'zstd', 'x-dis-zstd-content-length': String(body.length) },
  }),
};

export function runWireFormsConformance(getTarget: () => Target): void {
  describe('wire forms', () => {
    const stream = `w${randomBytes(4).toString('hex')}`;
    let target: Target;
    let dis: DisClient;
    let streamId: string;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
      await dis.createStream(stream, 2);
      streamId = (await dis.describe(stream)).id;
    });
    after(async () => {
      await dis.deleteStream(stream);
      dis.close();
    });

    const post = (body: Buffer, headers: Readonly<Record<string, string>>) =>
      dis.call('POST', '/records', { body, headers });
    const putProtobuf = (request: ProtobufPutRequest, headers: Readonly<Record<string, string>> = {}) =>
      post(encodePutRequest(request), { 'Content-Type': PROTOBUF, ...headers });
    const put = (...records: readonly ProtobufRecord[]) => putProtobuf({ streamName: stream, records });
    const getProtobuf = (cursor: string, query: Readonly<Record<string, string | number>> = {}) =>
      dis.call('GET', '/records', {
        query: { 'partition-cursor': cursor, ...query },
        headers: { 'Content-Type': PROTOBUF },
      });
    /** The end of a partition: what is put from now on is read from there. */
    const end = (partition: number) => dis.cursor(stream, partition, { 'cursor-type': 'LATEST' });

    function entriesOf(answer: Answer) {
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers['content-type'], 'application/x-protobuf');
      return decodePutResult(answer.bytes);
    }

    describe('protobuf', () => {
      test('what is put in one form is read in both', async () => {
        const data = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
        const cursors = await Promise.all([end(0), end(1)]);
        const { failedRecordCount, records } = entriesOf(
          await put(
            { data, partitionId: '0' },
            { data, partitionId: 'shardId-0000000001', partitionKey: 'not kept' },
            { data: Buffer.from('k'), partitionKey: '键 "\\\n' },
            { data: Buffer.from('h'), partitionKey: 'x', explicitHashKey: '9223372036854775807', timestamp: 1234 },
          ),
        );
        assert.equal(failedRecordCount, 0);
        for (const { shardId, sequenceNumber, ...rest } of records) {
          assert.match(shardId!, /^shardId-000000000[01]$/);
          assert.match(sequenceNumber!, /^\d+$/);
          assert.deepEqual(rest, {});
        }
        assert.equal(records[3]?.shardId, 'shardId-0000000001');

        for (const [partition, cursor] of cursors.entries()) {
          const json = await dis.get(cursor);
          const answer = await getProtobuf(cursor);
          assert.equal(answer.headers['content-type'], 'application/x-protobuf');
          const { records: got, nextShardIterator } = decodeGetResult(answer.bytes);
          assert.deepEqual(
            got.map(({ data, partitionKey, ...record }) => ({
              ...(partitionKey === undefined ? {} : { partition_key: partitionKey }),
              sequence_number: record.sequenceNumber,
              data: toBase64(data),
              timestamp: record.timestamp,
              timestamp_type: record.timestampType,
            })),
            json.json.records,
          );
          const here = records.filter(({ shardId }) => shardId?.endsWith(String(partition)));
          assert.deepEqual(
            got.map(({ sequenceNumber }) => sequenceNumber),
            here.map(({ sequenceNumber }) => sequenceNumber),
          );
          assert.deepEqual(decodeGetResult((await getProtobuf(nextShardIterator)).bytes).records, []);
        }
      });

      test('a get goes on where the last one ended', async () => {
        const cursor = await end(0);
        await put(...Array.from({ length: 10 }, (_, i) => ({ data: Buffer.from(`${i}`), partitionId: '0' })));
        let next = cursor;
        for (let i = 0; i < 10; i += 3) {
          const { records, nextShardIterator } = decodeGetResult((await getProtobuf(next, { limit: 3 })).bytes);
          assert.deepEqual(
            records.map(({ data }) => data.toString()),
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'].slice(i, i + 3),
          );
          next = nextShardIterator;
        }
      });

      test('the content type in any spelling', async () => {
        const bytes = encodePutRequest({ streamName: stream, records: [{ data: Buffer.from('a') }] });
        for (const type of [
          'application/x-protobuf',
          'application/x-protobuf;charset=utf-8',
          'Application/X-Protobuf; charset=UTF-8',
          'application/x-protobuf ; charset=utf-8',
        ]) {
          assert.equal(entriesOf(await post(bytes, { 'Content-Type': type })).failedRecordCount, 0);
        }
        for (const type of ['application/protobuf', 'application/x-protobuf2']) {
          expectError(await post(bytes, { 'Content-Type': type }), 415, 'DIS.4200');
        }
        const answer = await dis.get(await end(0));
        assert.match(String(answer.headers['content-type']), /^application\/json/);
      });

      test('a stream is told by name or id, and an empty one counts as absent', async () => {
        const records = [{ data: Buffer.from('a') }];
        for (const name of [{ streamId }, { streamName: '', streamId }, { streamName: stream, streamId: '' }]) {
          assert.equal(entriesOf(await putProtobuf({ ...name, records })).failedRecordCount, 0);
        }
        for (const name of [{}, { streamName: '', streamId: '' }]) {
          expectError(await putProtobuf({ ...name, records }), 400, 'DIS.4300', /\[stream_name\]\[is missing\]/);
        }
        expectError(await putProtobuf({ streamName: 'nowhere', records }), 400, 'DIS.4301', /\[nowhere\]/);
      });

      test('what one record has wrong is its own error', async () => {
        const data = Buffer.from('a');
        const extendedInfo = { fileName: 'f', deliverDataId: 'd', seqNum: 0 };
        const { failedRecordCount, records } = entriesOf(
          await put(
            { data, partitionId: '0' },
            { data: Buffer.alloc(0) },
            {},
            { data: Buffer.alloc(MEGABYTE + 1) },
            { data, partitionId: 'x' },
            { data, partitionId: '7' },
            { data, extendedInfo },
            { data, partitionKey: 'k'.repeat(65_536) },
            { data, partitionId: '', partitionKey: '', explicitHashKey: '' },
          ),
        );
        assert.equal(failedRecordCount, 7);
        const codes = ['4300', '4300', '4300', '4201', '4302', '4200', '4300'];
        assert.deepEqual(
          records.slice(1, 8).map(({ errorMessage, ...rest }) => [typeof errorMessage, rest]),
          codes.map((code) => ['string', { errorCode: `DIS.${code}` }]),
        );
        assert.match(records[6]!.errorMessage!, /retired/i);
        for (const index of [0, 8]) assert.equal(records[index]!.errorCode, undefined);
      });

      test('a whole request is refused in JSON', async () => {
        const broken = await post(Buffer.from('{"stream_name":"x"}'), { 'Content-Type': PROTOBUF });
        expectError(broken, 400, 'DIS.4300', /protobuf/);
        expectError(await post(Buffer.alloc(0), { 'Content-Type': PROTOBUF }), 400, 'DIS.4202');
        expectError(await put(), 400, 'DIS.4202');
        expectError(await put({ data: Buffer.from('a'), timestamp: -1 }), 400, 'DIS.4300', /records\.0\.timestamp/);
        expectError(await getProtobuf('x'), 400, 'DIS.4217');
        const create = { stream_name: 'x', partition_count: 1 };
        const answer = await dis.call('POST', '/streams', { body: create, headers: { 'Content-Type': PROTOBUF } });
        expectError(answer, 415, 'DIS.4200');
      });

      test('the limits are those of JSON', async () => {
        const whole = { data: Buffer.alloc(MEGABYTE, 'x') };
        assert.equal(entriesOf(await put(whole, whole, whole, whole, whole)).failedRecordCount, 0);
        expectError(await put(whole, whole, whole, whole, whole, { data: Buffer.from('x') }), 413, 'DIS.4300');
        const small = { data: Buffer.from('x') };
        assert.equal(entriesOf(await put(...Array.from({ length: 10_000 }, () => small))).records.length, 10_000);
        expectError(await put(...Array.from({ length: 10_001 }, () => small)), 413, 'DIS.4300');
      });

      test('a piece of a small file is refused in JSON, too', async () => {
        const answer = await dis.put(stream, [{ data: 'YQ==', extended_info: { file_name: 'f' } } as never]);
        expectJson(answer);
        assert.match(answer.json.records[0].error_message, /retired/i);
      });
    });

    for (const [encoding, encode] of Object.entries(ENCODE)) {
      describe(`bodies in ${encoding}`, () => {
        const json = Buffer.from(
          JSON.stringify({ stream_name: stream, records: [{ data: 'YWJj', partition_id: '0' }] }),
        );
        const protobuf = encodePutRequest({
          streamName: stream,
          records: Array.from({ length: 300 }, (_, i) => ({ data: Buffer.alloc(999, `${i}`), partitionId: '1' })),
        });

        test('records in both forms, answers as they are', async () => {
          const cursor = await end(0);
          const { bytes, headers } = encode(json);
          const answer = await post(bytes, { ...headers, 'Accept-Encoding': encoding });
          expectJson(answer);
          assert.equal(answer.headers['content-encoding'], undefined);
          assert.deepEqual(
            (await dis.page(cursor)).records.map(({ data }) => data),
            ['YWJj'],
          );
          const message = encode(protobuf);
          const { failedRecordCount, records } = entriesOf(
            await post(message.bytes, { ...message.headers, 'Content-Type': PROTOBUF }),
          );
          assert.deepEqual([failedRecordCount, records.length], [0, 300]);
        });

        test('any operation takes them', async () => {
          const other = `${stream}-${encoding}`;
          const { bytes, headers } = encode(Buffer.from(JSON.stringify({ stream_name: other, partition_count: 1 })));
          const upper = { ...headers, 'Content-Encoding': ` ${encoding.toUpperCase()} ` };
          expectEmpty(await dis.call('POST', '/streams', { body: bytes, headers: upper }), 201);
          await dis.deleteStream(other);
        });

        test('what comes out may have 12 MiB and no byte more', async () => {
          const padded = (length: number) => encode(Buffer.concat([json, Buffer.alloc(length - json.length, ' ')]));
          const most = padded(BODY_LIMIT);
          expectJson(await post(most.bytes, most.headers));
          const { bytes, headers } = padded(BODY_LIMIT + 1);
          expectError(await post(bytes, headers), 413, 'DIS.4300');
          // Not believed either when the length that is told is not that of the bytes.
          if (encoding !== 'snappy') {
            const name = `x-dis-${encoding}-content-length`;
            expectError(await post(bytes, { ...headers, [name]: String(BODY_LIMIT) }), 400, 'DIS.4300');
            expectError(await post(most.bytes, { ...headers, [name]: String(2 ** 40) }), 413, 'DIS.4300');
            expectError(await post(most.bytes, { ...headers, [name]: 'many' }), 400, 'DIS.4300');
          }
        });

        test('bytes that are something else', async () => {
          const { bytes, headers } = encode(json);
          for (const broken of [json, bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), randomBytes(200)]) {
            const answer = await post(broken, headers);
            // The length that random bytes tell may be any.
            assert.ok(answer.status === 413 || answer.status === 400, answer.text);
            expectError(answer, answer.status, 'DIS.4300');
          }
          const inside = encode(Buffer.from('{'));
          expectError(await post(inside.bytes, inside.headers), 400, 'DIS.4300', /must be JSON/);
          const nothing = encode(Buffer.alloc(0));
          expectError(await post(nothing.bytes, nothing.headers), 400, 'DIS.4202');
          expectError(await post(Buffer.alloc(0), headers), 400, 'DIS.4202');
        });
      });
    }

    test('lz4 needs its length told, zstd does not', async () => {
      const body = Buffer.from(JSON.stringify({ stream_name: stream, records: [{ data: 'YQ==' }] }));
      const lz4 = ENCODE['lz4']!(body).bytes;
      expectError(await post(lz4, { 'Content-Encoding': 'lz4' }), 400, 'DIS.4300', /x-dis-lz4-content-length/);
      expectJson(await post(zstdCompressSync(body), { 'Content-Encoding': 'zstd' }));
      const large = zstdCompressSync(Buffer.alloc(BODY_LIMIT + 1));
      expectError(await post(large, { 'Content-Encoding': 'zstd' }), 413, 'DIS.4300');
    });

    test('nothing is decoded for a caller that is not known', async () => {
      const headers = { 'Content-Encoding': 'lz4', 'x-dis-lz4-content-length': 'x' };
      const answer = await dis.call('POST', '/records', { body: Buffer.from('x'), headers, token: 'nobody' });
      expectError(answer, 401, 'DIS.4114');
    });

    describe('Expect: 100-continue', () => {
      const body = JSON.stringify({ stream_name: stream, records: [{ data: 'YQ==' }] });
      const head = (length: number, more = `X-Auth-Token: ${dis.token}\r\n`, path = '/records') =>
        `POST /v2/${dis.projectId}${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}` +
        `Content-Length: ${length}\r\nExpect: 100-continue\r\n`;

      test('the caller is told to go on, and the connection stays', async () => {
        const socket = await openSocket(target.baseUrl);
        for (let turn = 0; turn < 2; turn += 1) {
          socket.write(`${head(body.length)}\r\n`);
          assert.equal(await nextText(socket), 'HTTP/1.1 100 Continue\r\n\r\n');
          socket.write(body);
          const answer = await nextText(socket);
          assert.match(answer, /^HTTP\/1\.1 200 /);
          assert.doesNotMatch(answer, /connection: close/i);
        }
        socket.destroy();
      });

      test('a caller that does not wait is served all the same', async () => {
        const socket = await openSocket(target.baseUrl);
        socket.write(`${head(body.length, `X-Auth-Token: ${dis.token}\r\nConnection: close\r\n`)}\r\n${body}`);
        assert.match(await readToEnd(socket), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
      });

      test('what is refused before its body is refused at once, and the connection ends', async () => {
        const refused: [string, RegExp][] = [
          [head(10, ''), /^HTTP\/1\.1 401 [^]*"DIS\.4113"/],
          [head(10, 'X-Auth-Token: nobody\r\n'), /^HTTP\/1\.1 401 [^]*"DIS\.4114"/],
          [head(BODY_LIMIT + 1), /^HTTP\/1\.1 413 [^]*"DIS\.4300"/],
          [head(10, undefined, '/nowhere'), /^HTTP\/1\.1 404 [^]*"DIS\.4200"/],
        ];
        for (const [request, expected] of refused) {
          const socket = await openSocket(target.baseUrl);
          socket.write(`${request}\r\n`);
          const answer = await readToEnd(socket);
          assert.match(answer, expected);
          assert.match(answer, /\r\nconnection: close\r\n/i);
          assert.match(answer, /\r\nx-request-id: /i);
        }
      });

      test('other expectations are not looked at', async () => {
        const request = head(body.length).replace('100-continue', 'something');
        const socket = await openSocket(target.baseUrl);
        socket.write(`${request}\r\n${body}`);
        assert.match(await nextText(socket), /^HTTP\/1\.1 200 /);
        socket.destroy();
      });
    });

    test('HEAD answers what GET answers, without a body', async () => {
      for (const path of ['/streams', `/streams/${stream}`, '/streams/nowhere']) {
        const get = await dis.call('GET', path);
        const head = await dis.call('HEAD', path);
        assert.equal(head.status, get.status, path);
        assert.equal(head.text, '');
        assert.equal(head.headers['content-type'], get.headers['content-type']);
        assert.equal(head.headers['content-length'], get.headers['content-length']);
        assert.notEqual(head.headers['x-request-id'], undefined);
      }
    });

    test('whatever makes or removes something answers without a body, and says so', async () => {
      const name = `${stream}-empty`;
      const task = { task_name: 't', obs_bucket_path: 'bucket', deliver_time_interval: 300, file_prefix: '' };
      const checkpoint = { app_name: name, checkpoint_type: 'LAST_READ', stream_name: name };
      const empty: [number, () => Promise<Answer>][] = [
        [201, () => dis.call('POST', '/streams', { body: { stream_name: name, partition_count: 1 } })],
        [201, () => dis.call('POST', '/apps', { body: { app_name: name } })],
        [
          201,
          () =>
            dis.put(name, [{ data: 'YQ==' }]).then(() =>
              dis.call('POST', '/checkpoints', {
                body: { ...checkpoint, partition_id: '0', sequence_number: '0' },
              }),
            ),
        ],
        [204, () => dis.call('DELETE', '/checkpoints', { query: checkpoint })],
        [204, () => dis.call('DELETE', `/apps/${name}`)],
        [201, () => dis.createTask(name, task)],
        [200, () => dis.updateTask(name, { ...task, deliver_time_interval: 200 })],
        [204, () => dis.deleteTask(name, 't')],
        [204, () => dis.call('DELETE', `/streams/${name}`)],
      ];
      for (const [status, call] of empty) expectEmpty(await call(), status);
    });

    test('every operation of the API description refuses in the form of the documents', async () => {
      const { json } = await dis.http.call('GET', '/openapi.json');
      const paths = json.paths as Record<string, Record<string, { security?: unknown }>>;
      const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
      );
      assert.ok(operations.length > 10);
      for (const { path, method, operation } of operations) {
        const real = path.replace(/\{project_?id\}/i, dis.projectId).replace(/\{[^}]+\}/g, 'x');
        const open = Array.isArray(operation.security) && operation.security.length === 0;
        const anonymous = await dis.http.call(method, real, { body: method === 'GET' ? undefined : '{' });
        if (!open) expectError(anonymous, 401, anonymous.json?.errorCode);
        if (method === 'GET' || open) continue;
        const broken = await dis.http.call(method, real, { body: '{', token: dis.token });
        if (broken.status >= 400) expectError(broken, broken.status, broken.json?.errorCode);
        else expectEmpty(broken, broken.status);
      }
    });
  });
}

/** What arrives next on a socket, in one piece. */
async function nextText(socket: NodeJS.EventEmitter): Promise<string> {
  const [bytes] = (await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })) as [Buffer];
  return bytes.toString('latin1');
}
