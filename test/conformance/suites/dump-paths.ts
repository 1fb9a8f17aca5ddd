/** Where records go: directories by their own time, by their members, by their key, in the time zone of the task. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DisClient, eventually, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';

interface Sent {
  readonly data: string;
  readonly partition_key?: string;
}

/** The server takes intervals from one second on. */
export function runDumpPathsConformance(getTarget: () => StoreTarget): void {
  describe('paths', { concurrency: 4 }, () => {
    const prefix = `p${randomBytes(4).toString('hex')}`;
    let target: StoreTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    /**
     * Delivers `records` of a new stream; resolves to the lines of the files by directory, dead letters as `!`, when all
     * of them have come.
     */
    async function deliver(
      name: string,
      stream: object,
      settings: object,
      records: readonly Sent[],
    ): Promise<Record<string, string[]>> {
      const streamName = `${prefix}-${name}`;
      const folder = `${prefix}_${name}`;
      await dis.createStream(streamName, 1, stream);
      await dis.addTask(streamName, 'task', {
        obs_bucket_path: target.bucket,
        file_prefix: folder,
        deliver_time_interval: 1,
        ...settings,
      });
      await dis.store(
        streamName,
        records.map(({ data, ...rest }) => ({ data: toBase64(data), ...rest })),
      );
      const found = await eventually(
        'all records are in files',
        async () => {
          const directories: Record<string, string[]> = {};
          for (const [key, bytes] of await target.objects(`${folder}/`)) {
            const path = key.slice(folder.length + 1, key.lastIndexOf('/'));
            const lines = bytes.toString().trimEnd().split('\n');
            if (path === '_dead_letters')
              directories['!'] = lines.map((line) => (JSON.parse(line) as { reason: string }).reason);
            else directories[path] = [...(directories[path] ?? []), ...lines].toSorted();
          }
          return directories;
        },
        (directories) => Object.values(directories).flat().length === records.length,
      );
      await dis.deleteStream(streamName);
      return found;
    }

    const json = (members: object): Sent => ({ data: JSON.stringify(members) });

    test('by the own time of JSON records, as text of the zone of the task; what has none is a dead letter', async () => {
      const processing_schema = {
        timestamp_name: 'event.at',
        timestamp_type: 'String',
        timestamp_format: 'dd/MM/yyyy HH:mm:ss',
      };
      const at = (text: unknown) => json({ event: { at: text } });
      const late = at('31/12/2025 23:59:59');
      const first = at('01/01/2026 00:00:00');
      const again = at('31/12/2025 23:00:00');
      const found = await deliver(
        'text',
        { data_type: 'JSON' },
        { partition_format: 'yyyy/MM/dd/HH', time_zone: 'Asia/Shanghai', processing_schema },
        [late, first, again, at('32/12/2025 00:00:00'), { data: 'no JSON' }],
      );
      const { '!': dead, ...files } = found;
      assert.deepEqual(files, {
        '2025/12/31/23': [late.data, again.data].toSorted(),
        '2026/01/01/00': [first.data],
      });
      assert.equal(dead?.length, 2);
      assert.match(dead[0] ?? '', /^member event\.at is "32\/12\/2025 00:00:00", and must be a time as dd\/MM\/yyyy/);
      assert.match(dead[1] ?? '', /JSON/);
    });

    test('by timestamps of CSV records, in the hour that a clock shows twice', async () => {
      const processing_schema = { timestamp_name: 'c2', timestamp_type: 'Timestamp' };
      const records = ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'].map(
        (iso) => `x;${Date.parse(iso)}`,
      );
      const found = await deliver(
        'csv',
        { data_type: 'CSV', csv_properties: { delimiter: ';' } },
        { partition_format: 'yyyy/MM/dd/HH', time_zone: 'Europe/Berlin', processing_schema },
        records.map((data) => ({ data })),
      );
      assert.deepEqual(found, { '2026/10/25/02': records.slice(0, 2), '2026/10/25/03': records.slice(2) });
    });

    test('by members: no value leads out of its directory, and none into that of another', async () => {
      const nothing = '__HIVE_DEFAULT_PARTITION__';
      const named: readonly (readonly [value: unknown, directory: string])[] = [
        ['CN', 'CN'],
        ['../../x', '%2E.%2F..%2Fx'],
        ['..', '%2E.'],
        ['.', '%2E'],
        ['a/b', 'a%2Fb'],
        ['a%2Fb', 'a%252Fb'],
        ['', nothing],
        [null, nothing],
        [undefined, nothing],
        [nothing, '%5F_HIVE_DEFAULT_PARTITION__'],
        ['_dead_letters', '%5Fdead_letters'],
        ['é 😀', '%C3%A9%20%F0%9F%98%80'],
        ['\u0000', '%00'],
        [7.5, '7.5'],
        [true, 'true'],
      ];
      const records = named.map(([v], index) => json({ v, index }));
      const bad = [json({ v: ['array'] }), json({ v: 'x'.repeat(201) }), json({ v: '\ud800' })];
      const settings = { path_template: 'v={$.v}' };
      const { '!': dead, ...files } = await deliver('members', { data_type: 'JSON' }, settings, [...records, ...bad]);
      assert.equal(dead?.length, bad.length);
      const expected: Record<string, string[]> = {};
      for (const [index, [, directory]] of named.entries()) {
        (expected[`v=${directory}`] ??= []).push(records[index]!.data);
      }
      for (const lines of Object.values(expected)) lines.sort();
      assert.deepEqual(files, expected);
    });

    test('by key, partition and arrival, for records of any kind', async () => {
      const found = await deliver('keys', {}, { path_template: '{key}/p{partition}/{yyyy}' }, [
        { data: 'a', partition_key: 'k/1' },
        { data: 'b', partition_key: 'k2' },
        { data: 'c', partition_key: 'k/1' },
      ]);
      const year = new Date().getUTCFullYear();
      assert.deepEqual(found, { [`k%2F1/p0/${year}`]: ['a', 'c'], [`k2/p0/${year}`]: ['b'] });
    });

    test('a task that gets other paths delivers what comes then to them', async () => {
      const stream = `${prefix}-changed`;
      const folder = `${prefix}_changed`;
      const descriptor = { obs_bucket_path: target.bucket, file_prefix: folder, deliver_time_interval: 1 };
      await dis.createStream(stream, 1, { data_type: 'JSON' });
      await dis.addTask(stream, 'task', { ...descriptor, path_template: 'a={$.a}' });
      const paths = async () =>
        [...(await target.objects(`${folder}/`)).keys()].map((key) => key.split('/').slice(1, -1).join('/'));
      const put = (members: object) => dis.store(stream, [{ data: toBase64(JSON.stringify(members)) }]);
      await put({ a: 1, b: 2 });
      await eventually('the first file', paths, (found) => found.includes('a=1'));
      expectEmpty(await dis.updateTask(stream, { task_name: 'task', ...descriptor, path_template: 'b={$.b}' }), 200);
      await put({ a: 1, b: 2 });
      await eventually('the second file', paths, (found) => found.includes('b=2'));
      await dis.deleteStream(stream);
    });
  });
}
