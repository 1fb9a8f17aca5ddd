/** Streams over HTTP: create, list, describe, delete, with every limit on both sides. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ApiClient, type Answer, type Target } from '../../support/api-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';

export interface StreamsTarget extends Target {
  /** Partitions that the project may have, by stream type; nothing else uses them while the suite runs. */
  readonly quota: { readonly COMMON: number; readonly ADVANCED: number };
}

const MAX_HASH = 2n ** 63n - 1n;

export function runStreamsConformance(getTarget: () => StreamsTarget): void {
  describe('streams', () => {
    /** So that a suite can run against a server that has streams already. */
    const prefix = `s${randomBytes(4).toString('hex')}`;
    let client: ApiClient;
    let token: string;
    let base: string;
    let quota: StreamsTarget['quota'];

    before(async () => {
      const target = getTarget();
      client = new ApiClient(target.baseUrl);
      token = await client.login(target.credentials);
      base = `/v2/${target.credentials.projectId}/streams`;
      quota = target.quota;
    });
    after(() => client.close());

    const name = (suffix: string) => `${prefix}-${suffix}`;
    const create = (body: unknown) => client.call('POST', base, { token, body });
    const show = (stream: string, query = {}) => client.call('GET', `${base}/${stream}`, { token, query });
    const remove = (stream: string) => client.call('DELETE', `${base}/${stream}`, { token });
    const list = (query = {}) => client.call('GET', base, { token, query });

    /** Creates a stream with `members` on top of the least that a stream needs, and hands it to `check`. */
    async function withStream(
      suffix: string,
      members: Record<string, unknown>,
      check: (stream: string) => Promise<void>,
    ): Promise<void> {
      expectEmpty(await create({ stream_name: name(suffix), partition_count: 1, ...members }), 201);
      try {
        await check(name(suffix));
      } finally {
        expectEmpty(await remove(name(suffix)), 204);
      }
    }
    const accepted = (suffix: string, members: Record<string, unknown>) =>
      withStream(suffix, members, async () => undefined);
    const refused = async (members: Record<string, unknown>, message: RegExp, code = 'DIS.4300') =>
      expectError(await create({ stream_name: name('no'), partition_count: 1, ...members }), 400, code, message);

    test('a new stream is there at once, with the defaults of the API', async () => {
      const before = Date.now();
      await withStream('plain', {}, async (stream) => {
        const answer = await show(stream);
        expectJson(answer);
        const { stream_id, create_time, last_modified_time, ...rest } = answer.json;
        assert.match(stream_id, /^[A-Za-z0-9]{19}$/);
        assert.ok(create_time >= before - 60_000 && create_time <= Date.now() + 60_000);
        assert.equal(last_modified_time, create_time);
        assert.deepEqual(rest, {
          stream_name: stream,
          retention_period: 24,
          status: 'RUNNING',
          stream_type: 'COMMON',
          data_type: 'BLOB',
          auto_scale_enabled: false,
          auto_scale_min_partition_count: 0,
          auto_scale_max_partition_count: 0,
          tags: [],
          sys_tags: [],
          writable_partition_count: 1,
          readable_partition_count: 1,
          partitions: [
            {
              status: 'ACTIVE',
              partition_id: 'shardId-0000000000',
              hash_range: '[0 : 9223372036854775807]',
              sequence_number_range: '[0 : 0]',
            },
          ],
          has_more_partitions: false,
          update_partition_counts: [],
        });
      });
    });

    test('everything that can be set is kept and told', async () => {
      const told = {
        stream_type: 'ADVANCED',
        data_type: 'CSV',
        auto_scale_enabled: true,
        auto_scale_min_partition_count: 1,
        auto_scale_max_partition_count: 5,
        data_schema: '{"type":"record","name":"r","fields":[]}',
        csv_properties: { delimiter: ';' },
        compression_format: 'gzip',
        tags: [{ key: '环境-Env_1', value: '生产.v-1_2' }],
        sys_tags: [{ key: '_sys_enterprise_project_id', value: '0aad99bc-f5f6-4f78-8404-c598d76b0ed2' }],
      };
      await withStream('full', { ...told, partition_count: 2, data_duration: 48 }, async (stream) => {
        const { json } = await show(stream);
        assert.deepEqual(Object.fromEntries(Object.keys(told).map((key) => [key, json[key]])), told);
        assert.equal(json.retention_period, 48);
        const listed = (await list({ limit: 500 })).json.stream_info_list.find(
          (info: { stream_name: string }) => info.stream_name === stream,
        );
        assert.equal(listed.partition_count, 2);
        assert.deepEqual(listed.tags, told.tags);
        assert.equal(listed.stream_id, json.stream_id);
      });
    });

    test('what a client sends for nothing counts as absent, and unknown members are ignored', async () => {
      const nothing = {
        stream_type: '',
        data_type: null,
        data_duration: null,
        data_schema: '',
        csv_properties: null,
        compression_format: '',
        auto_scale_enabled: null,
        tags: null,
        sys_tags: [],
        is_private: false,
        private_cluster_id: null,
        something_new: { a: [1] },
      };
      await withStream('nothing', nothing, async (stream) => {
        const { json } = await show(stream);
        assert.equal(json.stream_type, 'COMMON');
        assert.equal(json.csv_properties, undefined);
      });
    });

    test('names', async () => {
      await accepted('Az_09-', {});
      await accepted('x'.repeat(64 - prefix.length - 1), {});
      for (const wrong of ['', 'a b', 'a.b', 'ä', 'a/b', 'x'.repeat(65)]) {
        await refused({ stream_name: wrong }, /\[stream_name\]/);
      }
      for (const wrong of [7, null, ['a'], {}]) await refused({ stream_name: wrong }, /\[stream_name\]/);
      expectError(await create({ partition_count: 1 }), 400, 'DIS.4300', /\[stream_name\]\[is missing\]/);
    });

    test('partition counts that are none', async () => {
      for (const wrong of [0, -1, 1.5, '1', null, true])
        await refused({ partition_count: wrong }, /\[partition_count\]/);
      expectError(await create({ stream_name: name('no') }), 400, 'DIS.4300', /\[partition_count\]/);
      await refused({ partition_count: 1_000_000_000 }, /quota/, 'DIS.4308');
    });

    test('retention is 24 to 72 hours', async () => {
      await accepted('r24', { data_duration: 24 });
      await accepted('r72', { data_duration: 72 });
      for (const wrong of [23, 73, 0, -24, 24.5, '24']) await refused({ data_duration: wrong }, /\[data_duration\]/);
    });

    test('lists of choices', async () => {
      for (const format of ['snappy', 'gzip', 'zip']) await accepted(format, { compression_format: format });
      await refused({ compression_format: 'lz4' }, /\[compression_format\]\[must be one of snappy, gzip, zip\]/);
      await refused({ stream_type: 'common' }, /\[stream_type\]/);
      for (const type of ['BLOB', 'JSON', 'CSV']) await accepted(type, { data_type: type });
      await refused({ data_type: 'XML' }, /\[data_type\]/);
    });

    test('a data schema must be JSON', async () => {
      await accepted('schema', { data_type: 'JSON', data_schema: '{"type":"string"}' });
      await refused({ data_schema: '{"type":' }, /\[data_schema\]/, 'DIS.4360');
      await refused({ data_schema: { type: 'string' } }, /\[data_schema\]/);
    });

    test('automatic scaling', async () => {
      const scale = (min: unknown, max: unknown) => ({
        auto_scale_enabled: true,
        auto_scale_min_partition_count: min,
        auto_scale_max_partition_count: max,
      });
      await accepted('scale', scale(2, 2));
      await refused(scale(0, 2), /\[auto_scale_min_partition_count\]/);
      await refused(scale(3, 2), /\[auto_scale_max_partition_count\]/);
      await refused(scale(null, 0), /\[auto_scale_max_partition_count\]/);
      await refused({ auto_scale_enabled: 'yes' }, /\[auto_scale_enabled\]/);
      await accepted('most', scale(1, 2 ** 31 - 1));
      for (const tooMany of [2 ** 31, 2 ** 53, 1e300]) {
        await refused(scale(1, tooMany), /\[auto_scale_max_partition_count\]/);
        await refused({ partition_count: tooMany }, /\[partition_count\]/);
      }
    });

    test('tags', async () => {
      const tags = (count: number) => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: '' }));
      await accepted('tags', { tags: tags(10) });
      await refused({ tags: tags(11) }, /\[tags\]/);
      await accepted('longtag', { tags: [{ key: 'k'.repeat(36), value: 'v'.repeat(43) }] });
      await refused({ tags: [{ key: 'k'.repeat(37), value: '' }] }, /\[tags\.0\.key\]/);
      await refused({ tags: [{ key: 'k', value: 'v'.repeat(44) }] }, /\[tags\.0\.value\]/);
      await refused({ tags: [{ key: '', value: '' }] }, /\[tags\.0\.key\]/);
      await refused({ tags: [{ key: 'a.b', value: '' }] }, /\[tags\.0\.key\]/);
      await refused({ tags: [{ key: 'a', value: 'b c' }] }, /\[tags\.0\.value\]/);
      await refused({ tags: [...tags(1), ...tags(1)] }, /\[tags\.1\.key\]/);
      await refused({ tags: [{ key: 'a' }] }, /\[tags\.0\.value\]\[is missing\]/);
      await refused({ tags: [{ key: 1, value: '' }] }, /\[tags\.0\.key\]/);
      await refused({ sys_tags: [{ key: 'mine', value: '0' }] }, /\[sys_tags\.0\.key\]/);
    });

    test('a name is taken until its stream is deleted; a new one has another id', async () => {
      expectEmpty(await create({ stream_name: name('again'), partition_count: 1 }), 201);
      const first = (await show(name('again'))).json.stream_id;
      expectError(
        await create({ stream_name: name('again'), partition_count: 1 }),
        400,
        'DIS.4307',
        /^Stream already exists\. \[/,
      );
      expectEmpty(await remove(name('again')), 204);
      expectError(await show(name('again')), 400, 'DIS.4301', /^Stream does not exist\. \[s\w+-again\]\[\w+\]$/);
      expectError(await remove(name('again')), 400, 'DIS.4301');
      await withStream('again', {}, async (stream) => assert.notEqual((await show(stream)).json.stream_id, first));
    });

    test('of many creates of one name at the same time exactly one wins', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => create({ stream_name: name('race'), partition_count: 1 })),
      );
      const codes = answers.map(({ status, json }) => (status === 201 ? 'made' : String(json?.errorCode)));
      assert.deepEqual(codes.toSorted(), [...Array<string>(7).fill('DIS.4307'), 'made']);
      const removals = await Promise.all(Array.from({ length: 4 }, () => remove(name('race'))));
      assert.deepEqual(removals.map(({ status }) => status).toSorted(), [204, 400, 400, 400]);
    });

    test('the quota is a limit on both sides, for each type of stream', async () => {
      for (const type of ['COMMON', 'ADVANCED'] as const) {
        await withStream('quota', { stream_type: type, partition_count: quota[type] }, async () => {
          await refused({ stream_type: type }, /quota/, 'DIS.4308');
        });
        await refused({ stream_type: type, partition_count: quota[type] + 1 }, /quota/, 'DIS.4308');
      }
    });

    test('concurrent creates do not pass the quota together', async () => {
      const half = Math.floor(quota.COMMON / 2) + 1;
      const names = Array.from({ length: 4 }, (_, i) => name(`q${i}`));
      const answers = await Promise.all(names.map((stream) => create({ stream_name: stream, partition_count: half })));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 400, 400, 400]);
      await Promise.all(names.map(remove));
    });

    test('the hash ranges of the partitions tile the hash space', async () => {
      await withStream('tile', { partition_count: 7 }, async (stream) => {
        const ranges = (await show(stream)).json.partitions.map(({ hash_range }: { hash_range: string }) => {
          const [, low, high] = /^\[(\d+) : (\d+)\]$/.exec(hash_range) ?? [];
          return [BigInt(low ?? -1), BigInt(high ?? -1)] as const;
        });
        const width = MAX_HASH / 7n;
        for (const [i, [low, high]] of ranges.entries()) {
          assert.equal(low, BigInt(i) * width);
          assert.equal(high, i === 6 ? MAX_HASH : BigInt(i + 1) * width - 1n);
        }
      });
    });

    test('pages of partitions start behind the one that is named', async () => {
      await withStream('pages', { partition_count: 5 }, async (stream) => {
        const ids = (answer: Answer) =>
          answer.json.partitions.map(({ partition_id }: { partition_id: string }) => Number(partition_id.slice(-10)));
        const page = async (query: Record<string, string | number>) => {
          const answer = await show(stream, query);
          expectJson(answer);
          assert.equal(answer.json.readable_partition_count, 5);
          return [...ids(answer), answer.json.has_more_partitions];
        };
        assert.deepEqual(await page({}), [0, 1, 2, 3, 4, false]);
        assert.deepEqual(await page({ start_partitionId: '' }), [0, 1, 2, 3, 4, false]);
        assert.deepEqual(await page({ limit_partitions: 1 }), [0, true]);
        assert.deepEqual(await page({ limit_partitions: 4 }), [0, 1, 2, 3, true]);
        assert.deepEqual(await page({ limit_partitions: 5 }), [0, 1, 2, 3, 4, false]);
        assert.deepEqual(await page({ limit_partitions: 1000 }), [0, 1, 2, 3, 4, false]);
        assert.deepEqual(await page({ start_partitionId: 'shardId-0000000002' }), [3, 4, false]);
        assert.deepEqual(await page({ start_partitionId: '2', limit_partitions: 1 }), [3, true]);
        assert.deepEqual(await page({ start_partitionId: 4 }), [false]);
        for (const wrong of [0, 1001, 'x', -1]) {
          expectError(await show(stream, { limit_partitions: wrong }), 400, 'DIS.4200', /\[limit_partitions\]/);
        }
        expectError(await show(stream, { start_partitionId: 'shard-1' }), 400, 'DIS.4201');
      });
    });

    test('pages of streams are in order of name and start behind the one that is named', async () => {
      const names = ['a', 'b', 'B', 'c', 'a-'].map((suffix) => name(`list-${suffix}`));
      for (const stream of names) expectEmpty(await create({ stream_name: stream, partition_count: 1 }), 201);
      try {
        const total = (await list()).json.total_number;
        const seen: string[] = [];
        let start = name('list-');
        for (;;) {
          const { json } = await list({ limit: 2, start_stream_name: start });
          assert.equal(json.total_number, total);
          assert.deepEqual(
            json.stream_info_list.map(({ stream_name }: { stream_name: string }) => stream_name),
            json.stream_names,
          );
          seen.push(...json.stream_names);
          if (!json.has_more_streams) break;
          assert.equal(json.stream_names.length, 2);
          start = json.stream_names[1];
        }
        assert.deepEqual(seen.slice(0, names.length), names.toSorted());
        const exact = await list({ limit: total });
        assert.equal(exact.json.has_more_streams, false);
        for (const limit of [1, 500]) expectJson(await list({ limit }));
        for (const limit of [0, 501, 'many']) expectError(await list({ limit }), 400, 'DIS.4200', /\[limit\]/);
      } finally {
        await Promise.all(names.map(remove));
      }
    });

    test('a stream is also found by its id', async () => {
      await withStream('byid', {}, async (stream) => {
        const { stream_id } = (await show(stream)).json;
        assert.equal((await list({ stream_id })).json.stream_name, stream);
        assert.equal((await show('unknown', { stream_id })).json.stream_name, stream);
        expectError(await list({ stream_id: 'x'.repeat(19) }), 400, 'DIS.4301');
      });
    });
  });
}
