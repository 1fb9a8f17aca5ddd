/** Changes of a stream over HTTP: the number of its partitions, its scaling log, its settings. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Target } from '../../support/api-client.ts';
import { DisClient, entriesOf, placeOf, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import { checkOwners, hashOf, ownerOf, type Epoch, type PutRecord } from '../../support/hash-owners.ts';

export interface ScalingTarget extends Target {
  /** COMMON partitions that the project may have; nothing else uses them while the suite runs. */
  readonly quota: number;
}

/** The server lets a stream be scaled hundreds of times an hour. */
export function runScalingConformance(getTarget: () => ScalingTarget): void {
  describe('scaling', () => {
    const prefix = `s${randomBytes(4).toString('hex')}`;
    let dis: DisClient;
    let quota: number;

    before(async () => {
      const target = getTarget();
      dis = await DisClient.login(target);
      quota = target.quota;
    });
    after(() => dis.close());

    const scale = (stream: string, target: unknown, members: object = {}) =>
      dis.call('PUT', `/streams/${stream}`, {
        body: { stream_name: stream, target_partition_count: target, ...members },
      });
    const show = async (stream: string) => {
      const answer = await dis.call('GET', `/streams/${stream}`, { query: { limit_partitions: 1000 } });
      expectJson(answer);
      return answer.json;
    };
    const log = async (stream: string) => {
      const answer = await dis.call('GET', `/streams/${stream}/update_partition_counts`);
      expectJson(answer);
      return answer.json;
    };
    const scaled = async (stream: string, from: number, to: number) => {
      const answer = await scale(stream, to);
      expectJson(answer);
      const expected = { stream_name: stream, current_partition_count: from, target_partition_count: to };
      assert.deepEqual(answer.json, expected);
    };
    /** As they are described: number, status and numbers of parents. */
    const layout = async (stream: string) =>
      (await show(stream)).partitions.map((partition: Record<string, string>, number: number) => {
        assert.equal(Number(partition['partition_id']!.slice(-10)), number);
        return `${partition['status']} ${(partition['parent_partitions'] ?? '').replace(/shardId-0*(\d)/g, '$1')}`.trim();
      });

    async function withStream(suffix: string, members: object, check: (stream: string) => Promise<void>) {
      const stream = `${prefix}-${suffix}`;
      await dis.createStream(stream, 1, members);
      try {
        await check(stream);
      } finally {
        await dis.deleteStream(stream);
      }
    }

    test('up and down: the answer, the description and the log', async () => {
      await withStream('updown', { partition_count: 2 }, async (stream) => {
        const before = await show(stream);
        assert.deepEqual(before.update_partition_counts, []);
        assert.deepEqual(await log(stream), { total_number: 0, update_partition_counts: [] });
        await scaled(stream, 2, 3);
        assert.deepEqual(await layout(stream), ['ACTIVE', 'ACTIVE 0', 'ACTIVE 1']);
        await scaled(stream, 3, 1);
        assert.deepEqual(await layout(stream), ['ACTIVE 1,2', 'DELETED 0', 'DELETED 1']);
        const { partitions, ...shown } = await show(stream);
        assert.equal(shown.writable_partition_count, 1);
        assert.equal(shown.readable_partition_count, 3);
        assert.equal(partitions[0].hash_range, '[0 : 9223372036854775807]');
        assert.equal(partitions[0].sequence_number_range, '[0 : 0]');
        for (const closed of partitions.slice(1)) assert.equal(closed.hash_range, '[-1 : -1]');
        assert.ok(shown.last_modified_time > before.last_modified_time);

        const entries = shown.update_partition_counts;
        assert.ok(Math.abs(entries[0].create_timestamp - Date.now()) < 60_000);
        assert.equal(entries[1].create_timestamp, shown.last_modified_time);
        const told = { result_code: 1, auto_scale: false };
        assert.deepEqual(
          entries.map(({ create_timestamp: _, ...entry }: Record<string, unknown>) => entry),
          [
            { src_partition_count: 2, target_partition_count: 3, ...told },
            { src_partition_count: 3, target_partition_count: 1, ...told },
          ],
        );
        const logged = entries.map((entry: Record<string, unknown>) => ({ ...entry, result_msg: '' }));
        assert.deepEqual(await log(stream), { total_number: 2, update_partition_counts: logged });
        const list = await dis.call('GET', '/streams', { query: { limit: 500 } });
        const listed = list.json.stream_info_list.find((info: { stream_name: string }) => info.stream_name === stream);
        assert.equal(listed.partition_count, 1);
      });
    });

    test('the active partitions tile the hash space evenly at every count', async () => {
      await withStream('tile', {}, async (stream) => {
        let from = 1;
        for (const to of [7, 3, 4, 1, 2]) {
          await scaled(stream, from, to);
          from = to;
          const { partitions } = await dis.describe(stream);
          const width = (2n ** 63n - 1n) / BigInt(to);
          for (let i = 0; i < to; i += 1) {
            const high = i === to - 1 ? 2n ** 63n - 1n : BigInt(i + 1) * width - 1n;
            assert.equal(partitions[i]!.hash_range, `[${BigInt(i) * width} : ${high}]`);
          }
          assert.equal(partitions.length, 7);
        }
      });
    });

    test('a partition that is scaled away is read on and not written to; opened again, it goes on counting', async () => {
      await withStream('revive', { partition_count: 3 }, async (stream) => {
        const put = (data: string, members: object) => dis.put(stream, [{ data: toBase64(data), ...members }]);
        const last = { explicit_hash_key: String(2n ** 63n - 1n) };
        assert.deepEqual(entriesOf(await put('a', last)).map(placeOf), [{ partition: 2, sequence: 0 }]);
        const cursor = await dis.cursor(stream, 2, { 'cursor-type': 'LATEST' });
        await scaled(stream, 3, 2);
        assert.deepEqual(entriesOf(await put('b', last)).map(placeOf), [{ partition: 1, sequence: 0 }]);
        const [refused] = entriesOf(await put('x', { partition_id: '2' }));
        assert.equal(refused!.error_code, 'DIS.4319');
        assert.match(refused!.error_message!, /^Partition is expired\. \[.*\]\[\w+\]\[shardId-0000000002\]$/);
        assert.equal(refused!.sequence_number, undefined);
        assert.deepEqual(
          (await dis.readAll(stream, 2)).map(({ data }) => data),
          [toBase64('a')],
        );
        const atEnd = await dis.page(cursor);
        assert.deepEqual(atEnd.records, []);
        await scaled(stream, 2, 4);
        // Two quarters, each rounded down, are a hash less than a half: 2 has that one from 0.
        assert.deepEqual(await layout(stream), ['ACTIVE', 'ACTIVE 0', 'ACTIVE 0,1', 'ACTIVE 1']);
        assert.deepEqual(entriesOf(await put('c', { partition_id: '2' })).map(placeOf), [
          { partition: 2, sequence: 1 },
        ]);
        assert.deepEqual(
          (await dis.page(atEnd.next)).records.map(({ data }) => data),
          [toBase64('c')],
        );
        assert.deepEqual(entriesOf(await put('d', last)).map(placeOf), [{ partition: 3, sequence: 0 }]);
      });
    });

    test('counts that are refused are no tries', async () => {
      await withStream('refused', { partition_count: 2 }, async (stream) => {
        for (const wrong of [0, -1, 1.5, '3', null, undefined, true]) {
          expectError(await scale(stream, wrong), 400, 'DIS.4300', /\[target_partition_count\]/);
        }
        expectError(await scale(stream, 2), 400, 'DIS.4300', /\[the stream has 2 partitions already\]/);
        expectError(await scale(stream, 3, { stream_name: 'another' }), 400, 'DIS.4300', /\[stream_name\]/);
        expectError(await scale(`${stream}x`, 3), 400, 'DIS.4301', /^Stream does not exist\. \[/);
        expectError(await dis.call('PUT', `/streams/${stream}`), 400, 'DIS.4202');
        const missing = await dis.call('GET', `/streams/${stream}x/update_partition_counts`);
        expectError(missing, 400, 'DIS.4301');
        assert.equal((await log(stream)).total_number, 0);
      });
    });

    test('the quota is a limit on both sides, closed partitions apart; a try beyond it is in the log', async () => {
      await withStream('quota', {}, async (stream) => {
        await withStream('other', { partition_count: 2 }, async (other) => {
          expectError(await scale(stream, quota - 1), 400, 'DIS.4308', /quota/);
          const { update_partition_counts: entries } = await log(stream);
          assert.deepEqual(
            entries.map(({ create_timestamp: _, ...entry }: Record<string, unknown>) => entry),
            [
              {
                src_partition_count: 1,
                target_partition_count: quota - 1,
                result_code: 0,
                result_msg: `The quota is exceeded. [COMMON][${quota}]`,
                auto_scale: false,
              },
            ],
          );
          await scaled(stream, 1, quota - 2);
          expectError(await scale(other, 3), 400, 'DIS.4308');
          await scaled(stream, quota - 2, 1);
          await scaled(other, 2, quota - 1);
          expectError(await scale(stream, 2), 400, 'DIS.4308');
        });
        await scaled(stream, 1, quota);
        expectError(await scale(stream, 2 ** 31 - 1), 400, 'DIS.4308');
      });
    });

    test('of scalings at the same time each starts from what the one before has left', async () => {
      await withStream('race', {}, async (stream) => {
        const answers = await Promise.all([2, 3, 4, 5].map((target) => scale(stream, target)));
        for (const answer of answers) expectJson(answer);
        const steps = new Map(
          answers.map(({ json }) => [json.current_partition_count as number, json.target_partition_count as number]),
        );
        let at = 1;
        for (let step = 0; step < 4; step += 1) at = steps.get(at)!;
        assert.equal((await show(stream)).writable_partition_count, at);
      });
    });

    test('as clients send it: a slash at the end, no name in the body, the id in the path, other members', async () => {
      await withStream('clients', {}, async (stream) => {
        const { id } = await dis.describe(stream);
        const put = (path: string, body: object) => dis.call('PUT', path, { body });
        expectJson(await put(`/streams/${stream}/`, { target_partition_count: 2, stream_name: '' }));
        expectJson(await put(`/streams/${id}`, { target_partition_count: 3, stream_name: id, more: [1] }));
        expectJson(await put(`/streams/${stream}`, { target_partition_count: 4, stream_name: null }));
        expectJson(await dis.call('GET', `/streams/${stream}/update_partition_counts/`));
        assert.equal((await show(stream)).writable_partition_count, 4);
      });
    });

    test('puts go on while the stream is scaled: none fails, each is where its hash belonged, keys keep their order', async () => {
      await withStream('load', { partition_count: 2 }, async (stream) => {
        const time = () => performance.now();
        const layoutNow = async (from: number): Promise<Epoch> => {
          return { from, to: Infinity, partitions: (await dis.describe(stream)).partitions };
        };
        const epochs = [await layoutNow(0)];
        const puts: PutRecord[] = [];
        let done = false;
        let rounds = 0;
        const putter = async (name: number) => {
          const keys = Array.from({ length: 12 }, (_, i) => `key-${name}-${i}`);
          for (let round = 0; !done; round += 1) {
            const from = time();
            const places = await dis.store(
              stream,
              keys.map((key) => ({ data: toBase64(`${key}:${round}`), partition_key: key })),
            );
            const to = time();
            places.forEach((place, i) => puts.push({ key: keys[i]!, ...place, from, to }));
            rounds += 1;
          }
        };
        const putters = [0, 1, 2, 3].map(putter);
        const enough = async () => {
          const until = rounds + 8;
          while (rounds < until) await new Promise((resolve) => setTimeout(resolve, 1));
        };
        try {
          for (const target of [5, 1, 2, 8, 3, 4, 9, 2, 6, 1, 7, 5]) {
            await enough();
            const from = time();
            expectJson(await scale(stream, target));
            epochs.at(-1)!.to = time();
            epochs.push(await layoutNow(from));
          }
          await enough();
        } finally {
          done = true;
          await Promise.all(putters);
        }
        checkOwners(epochs, puts);

        const read = new Map<string, { readonly round: number; readonly time: number }[]>();
        for (let partition = 0; partition < 9; partition += 1) {
          const rounds = new Map<string, number>();
          for (const { data, timestamp } of await dis.readAll(stream, partition)) {
            const [key = '', text] = Buffer.from(data, 'base64').toString().split(':');
            const round = Number(text);
            assert.ok(round > (rounds.get(key) ?? -1), `${key} in partition ${partition}`);
            rounds.set(key, round);
            const ofKey = read.get(key) ?? [];
            read.set(key, [...ofKey, { round, time: timestamp }]);
          }
        }
        // Parents before children: by the time of arrival the records of a key are in the order of their puts.
        for (const [key, records] of read) {
          const ordered = records.toSorted((a, b) => a.round - b.round);
          assert.deepEqual(
            ordered.map(({ round }) => round),
            ordered.map((_, i) => i),
            key,
          );
          for (let i = 1; i < ordered.length; i += 1) assert.ok(ordered[i]!.time >= ordered[i - 1]!.time, key);
        }
        assert.equal([...read.values()].flat().length, puts.length);
        const { partitions } = await dis.describe(stream);
        for (const key of ['a', 'b', 'c', 'd']) {
          const [place] = await dis.store(stream, [{ data: toBase64('x'), partition_key: key }]);
          assert.equal(place!.partition, ownerOf(partitions, hashOf(key)));
        }
      });
    });
  });

  describe('changing a stream', () => {
    const prefix = `u${randomBytes(4).toString('hex')}`;
    let dis: DisClient;

    before(async () => (dis = await DisClient.login(getTarget())));
    after(() => dis.close());

    const update = (stream: string, body: object) =>
      dis.http.call('PUT', `/v3/${dis.projectId}/streams/${stream}`, { token: dis.token, body });
    const updateByType = (stream: string, body: object) => dis.call('PUT', `/streams/${stream}/update`, { body });
    const show = async (stream: string) => (await dis.call('GET', `/streams/${stream}`)).json;

    async function withStream(suffix: string, check: (stream: string) => Promise<void>) {
      const stream = `${prefix}-${suffix}`;
      await dis.createStream(stream);
      try {
        await check(stream);
      } finally {
        await dis.deleteStream(stream);
      }
    }

    test('v3 changes what is given and answers 204 without a body', async () => {
      await withStream('v3', async (stream) => {
        const before = await show(stream);
        const changed = {
          data_type: 'JSON',
          data_schema: '{"type":"string"}',
          auto_scale_enabled: true,
          auto_scale_min_partition_count: 1,
          auto_scale_max_partition_count: 4,
        };
        expectEmpty(await update(stream, { stream_name: stream, data_duration: 72, ...changed }), 204);
        const after = await show(stream);
        const { last_modified_time: time, ...rest } = after;
        assert.ok(time > before.last_modified_time);
        assert.deepEqual(
          { ...rest, last_modified_time: before.last_modified_time },
          {
            ...before,
            ...changed,
            retention_period: 72,
          },
        );
        const nothing = { data_type: '', data_schema: null, data_duration: null, auto_scale_enabled: null };
        expectEmpty(await update(`${stream}/`, { stream_name: stream, ...nothing }), 204);
        assert.deepEqual({ ...(await show(stream)), last_modified_time: time }, after);
      });
    });

    test('v3 refuses what a create would refuse', async () => {
      await withStream('limits', async (stream) => {
        for (const hours of [24, 72]) expectEmpty(await update(stream, { data_duration: hours }), 204);
        for (const wrong of [23, 73, 24.5, '24']) {
          expectError(await update(stream, { data_duration: wrong }), 400, 'DIS.4300', /\[data_duration\]/);
        }
        expectError(await update(stream, { data_type: 'XML' }), 400, 'DIS.4300', /\[data_type\]/);
        expectError(await update(stream, { data_schema: '{' }), 400, 'DIS.4360');
        const bounds = (min: unknown, max: unknown) => ({
          auto_scale_enabled: true,
          auto_scale_min_partition_count: min,
          auto_scale_max_partition_count: max,
        });
        expectEmpty(await update(stream, bounds(2, 2)), 204);
        for (const wrong of [bounds(3, 2), bounds(0, 2), bounds(null, 1), bounds('1', 2)]) {
          expectError(await update(stream, wrong), 400, 'DIS.4300', /\[auto_scale_/);
        }
        expectError(await update(`${stream}x`, { data_duration: 24 }), 400, 'DIS.4301');
        expectError(await update(stream, { stream_name: 'another' }), 400, 'DIS.4300', /\[stream_name\]/);
      });
    });

    test('v2 /update changes automatic scaling, and as the Java SDK sends it the data type', async () => {
      await withStream('v2', async (stream) => {
        const auto = { auto_scale_enabled: true, auto_scale_min_partition_count: 1, auto_scale_max_partition_count: 3 };
        const answer = await updateByType(stream, { stream_name: stream, update_type: 'AUTO_SCALE', ...auto });
        expectJson(answer);
        assert.deepEqual(answer.json, { stream_name: stream });
        const more = { body: { auto_scale_max_partition_count: 5 } };
        expectJson(await dis.call('PUT', `/streams/${stream}/update/`, more));
        const typed = { stream_name: stream, update_type: 'DATA_TYPE', data_type: 'CSV', data_schema: '{}' };
        const changed = await updateByType(stream, { ...typed, auto_scale_enabled: false });
        expectJson(changed);
        assert.deepEqual(changed.json, { stream_name: stream, target_data_type: 'CSV' });
        const shown = await show(stream);
        assert.equal(shown.auto_scale_enabled, true);
        assert.equal(shown.auto_scale_min_partition_count, 1);
        assert.equal(shown.auto_scale_max_partition_count, 5);
        assert.equal(shown.data_type, 'CSV');
        assert.equal(shown.data_schema, '{}');

        expectError(await updateByType(stream, { update_type: 'DATA_TYPE' }), 400, 'DIS.4300', /\[data_type\]/);
        expectError(await updateByType(stream, { update_type: 'NAME' }), 400, 'DIS.4300', /\[update_type\]/);
        const crossed = { auto_scale_min_partition_count: 6 };
        expectError(await updateByType(stream, crossed), 400, 'DIS.4300', /\[auto_scale_max/);
        expectError(await updateByType(`${stream}x`, auto), 400, 'DIS.4301');
      });
    });
  });
}
