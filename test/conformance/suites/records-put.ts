/** Putting records over HTTP: what is stored, where, and what is refused. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { NODES } from '../../support/backend.ts';
import type { Target } from '../../support/api-client.ts';
import { DisClient, entriesOf, placeOf, toBase64, type GotRecord, type RecordToPut } from '../../support/dis-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';

const MAX_HASH = 2n ** 63n - 1n;
const MEGABYTE = 1024 * 1024;

const LIMITS = { recordBytes: MEGABYTE, putBytes: 5 * MEGABYTE, putRecords: 10_000, keyBytes: 65_535 };

/** The hash of a key as the documents of DIS define it, computed the long way. */
function hashOf(key: string): bigint {
  return createHash('md5').update(key, 'utf8').digest().readBigUInt64BE(0) & MAX_HASH;
}

export function runPutRecordsConformance(getTarget: () => Target): void {
  describe('put records', () => {
    const prefix = `r${randomBytes(4).toString('hex')}`;
    let dis: DisClient;

    before(async () => (dis = await DisClient.login(getTarget())));
    after(() => dis.close());

    /** Hands a new stream to `check` and deletes it afterwards. */
    async function withStream(
      partitions: number,
      check: (stream: string, id: string) => Promise<void>,
      members: object = {},
    ): Promise<void> {
      const stream = `${prefix}-${randomBytes(4).toString('hex')}`;
      await dis.createStream(stream, partitions, members);
      try {
        await check(stream, (await dis.describe(stream)).id);
      } finally {
        await dis.deleteStream(stream);
      }
    }

    const dataOf = (records: readonly GotRecord[]) => records.map(({ data }) => data);

    test('every byte comes back as it was put', async () => {
      const payloads = [
        Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
        ...Array.from({ length: 256 }, (_, byte) => Buffer.from([byte])),
        Buffer.alloc(1000),
        randomBytes(65_537),
        Buffer.from('键 "\\\n 🚀'),
      ];
      await withStream(1, async (stream) => {
        const places = await dis.store(
          stream,
          payloads.map((payload) => ({ data: toBase64(payload) })),
        );
        assert.deepEqual(
          places,
          payloads.map((_, sequence) => ({ partition: 0, sequence })),
        );
        const records = await dis.readAll(stream, 0);
        assert.deepEqual(
          dataOf(records),
          payloads.map((payload) => payload.toString('base64')),
        );
      });
    });

    test('Base64 in the forms that encoders make', async () => {
      const payload = Buffer.from([0xfb, 0xef, 0xff, 0x01]);
      const plain = payload.toString('base64');
      const forms = [
        plain,
        payload.toString('base64url'),
        plain.replaceAll('=', ''),
        `${plain.slice(0, 4)}\r\n${plain.slice(4)}\n`,
      ];
      assert.equal(new Set(forms).size, 4);
      await withStream(1, async (stream) => {
        await dis.store(stream, [...forms.map((data) => ({ data })), { data: 'YQ==' }]);
        assert.deepEqual(dataOf(await dis.readAll(stream, 0)), [plain, plain, plain, plain, 'YQ==']);
      });
    });

    test('the members of an answer, of a stored record with a key and of one without', async () => {
      await withStream(1, async (stream) => {
        const from = Date.now();
        const answer = await dis.put(stream, [
          { data: 'YQ==', partition_key: 'k' },
          { data: 'Yg==', partition_id: '0', partition_key: 'k' },
          { data: 'Yw==' },
        ]);
        expectJson(answer);
        assert.deepEqual(answer.json, {
          failed_record_count: 0,
          records: ['0', '1', '2'].map((sequence_number) => ({
            partition_id: 'shardId-0000000000',
            sequence_number,
          })),
        });
        const records = await dis.readAll(stream, 0);
        const time = records[0]?.timestamp ?? 0;
        assert.ok(Number.isInteger(time) && time >= from - 60_000 && time <= Date.now() + 60_000, String(time));
        const common = { timestamp: time, timestamp_type: 'CreateTime' };
        assert.deepEqual(records, [
          { partition_key: 'k', sequence_number: '0', data: 'YQ==', ...common },
          { sequence_number: '1', data: 'Yg==', ...common },
          { sequence_number: '2', data: 'Yw==', ...common },
        ]);
      });
    });

    test('keys of every kind come back, and decide the partition by their MD5', async () => {
      const keys = [
        'a',
        ' ',
        '0',
        '\u0000',
        '"\\/\b\f\n\r\t',
        'ключ',
        '分区键',
        '🚀🚀',
        '\u007f\u0080\uffff',
        ...[54, 55, 56, 63, 64, 65, 200].map((length) => 'x'.repeat(length)),
        ...[27, 28, 55].map((length) => 'é'.repeat(length)),
        ...Array.from({ length: 300 }, (_, i) => `device-${i}`),
      ];
      await withStream(7, async (stream) => {
        const { partitions } = await dis.describe(stream);
        const ranges = partitions.map(({ hash_range }) => {
          const [low, high] = hash_range.slice(1, -1).split(' : ').map(BigInt);
          return { low: low!, high: high! };
        });
        const places = await dis.store(
          stream,
          keys.map((key) => ({ data: toBase64(key), partition_key: key })),
        );
        const wanted = keys.map((key) => {
          const hash = hashOf(key);
          return ranges.findIndex(({ low, high }) => hash >= low && hash <= high);
        });
        assert.deepEqual(
          places.map(({ partition }) => partition),
          wanted,
        );
        assert.equal(new Set(wanted).size, 7);
        for (const partition of partitions.keys()) {
          const here = keys.filter((_, i) => wanted[i] === partition);
          const records = await dis.readAll(stream, partition);
          assert.deepEqual(
            records.map(({ partition_key }) => partition_key),
            here,
          );
          assert.deepEqual(dataOf(records), here.map(toBase64));
        }
      });
    });

    test('partition_id wins over explicit_hash_key, that over partition_key, and what has none is spread', async () => {
      await withStream(4, async (stream) => {
        const key = Array.from({ length: 100 }, (_, i) => `k${i}`).find((k) => hashOf(k) / (MAX_HASH / 4n) === 1n);
        const hash = String(MAX_HASH);
        const all = { data: 'YQ==', partition_id: '2', explicit_hash_key: hash, partition_key: key };
        const withoutId = { ...all, partition_id: undefined };
        const withoutHash = { ...withoutId, explicit_hash_key: undefined };
        const idAndKey = { ...all, explicit_hash_key: undefined };
        const places = await dis.store(stream, [all, withoutId, withoutHash, idAndKey]);
        assert.deepEqual(
          places.map(({ partition }) => partition),
          [2, 3, 1, 2],
        );
        // A key is served with the record unless the partition was named, explicit hash or not.
        assert.equal((await dis.readAll(stream, 3))[0]?.partition_key, key);
        assert.equal((await dis.readAll(stream, 2))[0]?.partition_key, undefined);

        const spread = await dis.store(stream, new Array<RecordToPut>(40).fill({ data: 'YQ==' }));
        for (let p = 0; p < 4; p += 1) assert.equal(spread.filter(({ partition }) => partition === p).length, 10);
        const alone = new Set<number>();
        // Each node goes round by itself.
        for (let i = 0; i < 4 * NODES; i += 1) alone.add((await dis.store(stream, [{ data: 'YQ==' }]))[0]!.partition);
        assert.equal(alone.size, 4, 'puts of one record are spread as well');
      });
    });

    test('explicit_hash_key: both ends of every range, and what is no hash falls back to the key', async () => {
      await withStream(3, async (stream) => {
        const { partitions } = await dis.describe(stream);
        const ends = partitions.flatMap(({ hash_range }) => hash_range.slice(1, -1).split(' : '));
        const other = 'any key';
        const places = await dis.store(
          stream,
          ends.map((explicit_hash_key) => ({ data: 'YQ==', explicit_hash_key, partition_key: other })),
        );
        assert.deepEqual(
          places.map(({ partition }) => partition),
          [0, 0, 1, 1, 2, 2],
        );
        const wrong = [String(MAX_HASH + 1n), '-1', '1.5', 'x', '0x10', ' 1', '9'.repeat(30)];
        const [byKey] = await dis.store(stream, [{ data: 'YQ==', partition_key: other }]);
        const fallen = await dis.store(
          stream,
          wrong.map((explicit_hash_key) => ({ data: 'YQ==', explicit_hash_key, partition_key: other })),
        );
        for (const { partition } of fallen) assert.equal(partition, byKey?.partition);
        await dis.store(
          stream,
          wrong.map((explicit_hash_key) => ({ data: 'YQ==', explicit_hash_key })),
        );
      });
    });

    test('both spellings of a partition id', async () => {
      await withStream(11, async (stream) => {
        const spellings = ['shardId-0000000010', '10', 'shardid-10', 'SHARDID-0000000010', 'shardId-010', '0000000010'];
        const places = await dis.store(
          stream,
          spellings.map((partition_id) => ({ data: 'YQ==', partition_id })),
        );
        assert.deepEqual(
          places,
          spellings.map((_, sequence) => ({ partition: 10, sequence })),
        );
      });
    });

    test('what one record has wrong is its own error, in its place; all others are stored', async () => {
      await withStream(2, async (stream) => {
        const good = (data: string) => ({ data: toBase64(data), partition_id: '0' });
        const wrong: readonly [RecordToPut, string, RegExp][] = [
          [{ data: '' }, 'DIS.4300', /empty/],
          [{ data: '?', partition_id: '0' }, 'DIS.4300', /not Base64/],
          [{ data: 'YWJj!', partition_id: '0' }, 'DIS.4300', /not Base64/],
          [{ data: 'YW Jj$A==', partition_id: '0' }, 'DIS.4300', /not Base64/],
          [{ data: 'YWJjZ', partition_id: '0' }, 'DIS.4300', /not Base64/],
          [{ data: 'YQ==YQ==', partition_id: '0' }, 'DIS.4300', /not Base64/],
          [{ data: ' \n ', partition_id: '0' }, 'DIS.4300', /^The record is invalid\. \[.+\]$/],
          [{ data: toBase64(Buffer.alloc(LIMITS.recordBytes + 1)) }, 'DIS.4300', /too large.*\[1048577\]\[1048576\]/],
          ...['x', 'shardId-', '-1', '1.0', 'shardId-00000000001', 'shard-1', 'shardId-1 '].map(
            (partition_id): [RecordToPut, string, RegExp] => [
              { data: 'YQ==', partition_id },
              'DIS.4201',
              /^Partition_id is invalid\. \[/,
            ],
          ),
          [{ data: 'YQ==', partition_id: '2' }, 'DIS.4302', /^Partition does not exist\. \[/],
          [{ data: 'YQ==', partition_id: 'shardId-9999999999' }, 'DIS.4302', /^Partition does not exist\. \[/],
          [{ data: 'YQ==', partition_key: 'k'.repeat(LIMITS.keyBytes + 1) }, 'DIS.4300', /too long/],
        ];
        const records = [good('first'), ...wrong.flatMap(([record], i) => [record, good(`after ${i}`)])];
        const answer = await dis.put(stream, records);
        const entries = entriesOf(answer);
        assert.equal(answer.json.failed_record_count, wrong.length);
        assert.equal(entries.length, records.length);
        let sequence = 0;
        entries.forEach((entry, i) => {
          if (i % 2 === 0) {
            assert.deepEqual(placeOf(entry), { partition: 0, sequence: sequence++ });
            assert.deepEqual(Object.keys(entry), ['partition_id', 'sequence_number']);
            return;
          }
          const [, code, message] = wrong[(i - 1) / 2]!;
          assert.deepEqual(Object.keys(entry), ['error_code', 'error_message'], JSON.stringify(entry));
          assert.equal(entry.error_code, code, String(entry.error_message));
          assert.match(entry.error_message ?? '', message);
        });
        const stored = await dis.readAll(stream, 0);
        assert.deepEqual(dataOf(stored), dataOf(records.filter((_, i) => i % 2 === 0) as GotRecord[]));
        assert.deepEqual(await dis.readAll(stream, 1), []);
      });
    });

    test('a put whose records are all refused is still a 200, and takes no sequence number', async () => {
      await withStream(1, async (stream) => {
        const answer = await dis.put(stream, [{ data: '' }, { data: 'YQ==', partition_id: '7' }]);
        assert.deepEqual(
          entriesOf(answer).map(({ error_code }) => error_code),
          ['DIS.4300', 'DIS.4302'],
        );
        assert.equal(answer.json.failed_record_count, 2);
        assert.deepEqual(await dis.store(stream, [{ data: 'YQ==' }]), [{ partition: 0, sequence: 0 }]);
      });
    });

    test('a wrong shape refuses the whole request', async () => {
      await withStream(1, async (stream, stream_id) => {
        const good = { data: 'YQ==' };
        const bodies: readonly [unknown, string, RegExp?][] = [
          [undefined, 'DIS.4202'],
          ['{"records":', 'DIS.4300', /JSON/],
          [Buffer.from([0x7b, 0xff, 0x7d]), 'DIS.4300', /UTF-8/],
          [[], 'DIS.4300'],
          ['7', 'DIS.4300'],
          [{}, 'DIS.4300', /\[records\]\[is missing\]/],
          [{ stream_name: stream }, 'DIS.4300', /\[records\]\[is missing\]/],
          [{ stream_name: stream, records: null }, 'DIS.4300', /\[records\]/],
          [{ stream_name: stream, records: {} }, 'DIS.4300', /\[records\]/],
          [{ stream_name: stream, records: 'x' }, 'DIS.4300', /\[records\]/],
          [{ stream_name: stream, records: [] }, 'DIS.4202', /\[records\]/],
          [{ records: [good] }, 'DIS.4300', /\[stream_name\]\[is missing\]/],
          [{ stream_name: '', stream_id: null, records: [good] }, 'DIS.4300', /\[stream_name\]\[is missing\]/],
          [{ stream_name: 7, records: [good] }, 'DIS.4300', /\[stream_name\]/],
          [{ stream_name: [stream], records: [good] }, 'DIS.4300', /\[stream_name\]/],
          [{ stream_id: 7, stream_name: stream, records: [good] }, 'DIS.4300', /\[stream_id\]/],
          ...[null, 'x', 7, []].map((record): [unknown, string, RegExp] => [
            { stream_name: stream, records: [good, record] },
            'DIS.4300',
            /\[records\.1/,
          ]),
          ...[undefined, null, 7, ['YQ=='], {}].map((data): [unknown, string, RegExp] => [
            { stream_name: stream, records: [good, { data }] },
            'DIS.4300',
            /\[records\.1\.data\]/,
          ]),
          ...['partition_id', 'partition_key', 'explicit_hash_key'].flatMap((member) =>
            [0, true, ['0'], {}].map((value): [unknown, string, RegExp] => [
              { stream_name: stream, records: [good, { ...good, [member]: value }] },
              'DIS.4300',
              new RegExp(`\\[records\\.1\\.${member}\\]`),
            ]),
          ),
          ...['1', -1, 1.5, 2 ** 53, true, []].map((timestamp): [unknown, string, RegExp] => [
            { stream_name: stream, records: [good, { ...good, timestamp }] },
            'DIS.4300',
            /\[records\.1\.timestamp\]/,
          ]),
        ];
        for (const [body, code, message] of bodies) {
          const options = body === undefined ? {} : { body };
          expectError(await dis.call('POST', '/records', options), 400, code, message);
        }
        const none = { stream_name: 'no-such-stream', stream_id: 'x'.repeat(19), records: [good] };
        expectError(await dis.call('POST', '/records', { body: none }), 400, 'DIS.4301', /\[no-such-stream\]/);
        assert.deepEqual(await dis.readAll(stream, 0), []);
        assert.match(stream_id, /^\w{19}$/);
      });
    });

    test('absent, null and "" mean the same, and unknown members are ignored', async () => {
      await withStream(2, async (stream) => {
        const nothing = { partition_id: '', partition_key: '', explicit_hash_key: '', timestamp: null };
        const nulls = { partition_id: null, partition_key: null, explicit_hash_key: null };
        const body = {
          stream_name: stream,
          stream_id: '',
          extra: 1,
          records: [
            { data: 'YQ==', ...nothing },
            { data: 'YQ==', ...nulls, extended_info: null, extra: {} },
            { data: 'YQ==', ...nothing, partition_key: 'k' },
            { data: 'YQ==', ...nulls, partition_id: '1' },
          ],
        };
        const answer = await dis.call('POST', '/records', { body });
        const places = entriesOf(answer).map(placeOf);
        assert.notEqual(places[0]?.partition, places[1]?.partition, 'spread in turn');
        assert.equal(places[2]?.partition, Number(hashOf('k') / (MAX_HASH / 2n)));
        assert.equal(places[3]?.partition, 1);
        const records = [...(await dis.readAll(stream, 0)), ...(await dis.readAll(stream, 1))];
        assert.deepEqual(
          records.flatMap(({ partition_key }) => partition_key ?? []),
          ['k'],
        );
      });
    });

    test('a stream is addressed by its name, else by its id', async () => {
      await withStream(1, async (stream, id) => {
        const put = (names: object) =>
          dis.call('POST', '/records', { body: { ...names, records: [{ data: 'YQ==' }] } });
        for (const names of [
          { stream_id: id },
          { stream_name: '', stream_id: id },
          { stream_name: 'unknown', stream_id: id },
          { stream_name: stream, stream_id: 'unknown' },
        ]) {
          assert.equal(entriesOf(await put(names)).length, 1);
        }
        assert.equal((await dis.readAll(stream, 0)).length, 4);
        expectError(await put({ stream_name: 'unknown' }), 400, 'DIS.4301');
        expectError(await put({ stream_id: 'x'.repeat(19) }), 400, 'DIS.4301');
      });
    });

    test("a producer's timestamp is given back, and 0 is one", async () => {
      await withStream(1, async (stream) => {
        const times = [0, 1, 1_600_000_000_000, Date.now() + 1e10, Number.MAX_SAFE_INTEGER];
        await dis.store(
          stream,
          times.map((timestamp) => ({ data: 'YQ==', timestamp })),
        );
        await dis.store(stream, [{ data: 'YQ==', timestamp: 5, partition_key: 'k' }]);
        const records = await dis.readAll(stream, 0);
        assert.deepEqual(
          records.map(({ timestamp }) => timestamp),
          [...times, 5],
        );
        assert.deepEqual(new Set(records.map(({ timestamp_type }) => timestamp_type)), new Set(['CreateTime']));
      });
    });

    test('the payload of one record is limited', async () => {
      await withStream(1, async (stream) => {
        const largest = randomBytes(LIMITS.recordBytes).toString('base64');
        await dis.store(stream, [{ data: largest }]);
        const [refused] = entriesOf(await dis.put(stream, [{ data: toBase64(Buffer.alloc(LIMITS.recordBytes + 1)) }]));
        assert.equal(refused?.error_code, 'DIS.4300');
        assert.ok((await dis.readAll(stream, 0))[0]?.data === largest);
      });
    });

    test('the payload of a whole put is limited, keys excluded', async () => {
      await withStream(1, async (stream) => {
        const key = 'k'.repeat(LIMITS.keyBytes);
        const full = Array.from({ length: LIMITS.putBytes / LIMITS.recordBytes }, () => ({
          data: toBase64(Buffer.alloc(LIMITS.recordBytes)),
          partition_key: key,
        }));
        await dis.store(stream, full);
        expectError(await dis.put(stream, [...full, { data: 'YQ==' }]), 413, 'DIS.4300', /\[5242881\]\[5242880\]/);
        const records = await dis.readAll(stream, 0);
        assert.equal(records.length, full.length);
        for (const { partition_key } of records) assert.ok(partition_key === key);
      });
    });

    test('the number of records of a put is limited', async () => {
      await withStream(1, async (stream) => {
        const full = new Array<RecordToPut>(LIMITS.putRecords).fill({ data: 'YQ==' });
        const places = await dis.store(stream, full);
        assert.equal(places.at(-1)?.sequence, LIMITS.putRecords - 1);
        expectError(await dis.put(stream, [...full, { data: 'YQ==' }]), 413, 'DIS.4300', /\[10001\]\[10000\]/);
        assert.equal((await dis.readAll(stream, 0)).length, LIMITS.putRecords);
      });
    });

    test('32 putters at once: numbers from 0 without gaps, each record where its answer says, each putter in order', async () => {
      await withStream(3, async (stream) => {
        const seen = new Map<string, string>();
        await Promise.all(
          Array.from({ length: 32 }, async (_, putter) => {
            for (let round = 0; round < 6; round += 1) {
              const records = Array.from({ length: 1 + ((putter + round) % 9) }, (__, i) => ({
                data: toBase64(`${putter}/${round}/${i}`),
                partition_id: String((putter + i) % 3),
              }));
              const places = await dis.store(stream, records);
              places.forEach(({ partition, sequence }, i) => {
                assert.ok(!seen.has(`${partition}:${sequence}`), 'a number is given once');
                seen.set(`${partition}:${sequence}`, records[i]!.data);
              });
            }
          }),
        );
        let total = 0;
        for (let partition = 0; partition < 3; partition += 1) {
          const records = await dis.readAll(stream, partition);
          assert.deepEqual(
            records.map(({ sequence_number }) => sequence_number),
            records.map((__, i) => String(i)),
          );
          assert.deepEqual(
            dataOf(records),
            records.map((__, i) => seen.get(`${partition}:${i}`)),
          );
          for (let putter = 0; putter < 32; putter += 1) {
            const own = records
              .map(({ data }) => Buffer.from(data, 'base64').toString())
              .filter((text) => text.startsWith(`${putter}/`))
              .map((text) => text.split('/').map(Number));
            const sorted = own.toSorted((a, b) => a[1]! - b[1]! || a[2]! - b[2]!);
            assert.deepEqual(own, sorted);
          }
          total += records.length;
        }
        assert.equal(total, seen.size);
        const { partitions } = await dis.describe(stream);
        for (const [p, { sequence_number_range }] of partitions.entries()) {
          assert.equal(sequence_number_range, `[0 : ${(await dis.readAll(stream, p)).length}]`);
        }
      });
    });

    test('a stream that is deleted takes its records along; a new one of its name begins at 0', async () => {
      const stream = `${prefix}-gone`;
      await dis.createStream(stream);
      await dis.store(stream, [{ data: 'YQ==' }, { data: 'Yg==' }]);
      await dis.deleteStream(stream);
      expectError(await dis.put(stream, [{ data: 'YQ==' }]), 400, 'DIS.4301');
      await dis.createStream(stream);
      assert.deepEqual(await dis.readAll(stream, 0), []);
      assert.deepEqual(await dis.store(stream, [{ data: 'Yw==' }]), [{ partition: 0, sequence: 0 }]);
      assert.deepEqual(dataOf(await dis.readAll(stream, 0)), ['Yw==']);
      await dis.deleteStream(stream);
    });
  });
}
