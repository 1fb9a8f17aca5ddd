/** Time directories: when they are complete, how they are told, and that their files become one. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import type { Objects } from '../../support/buckets.ts';
import { DisClient, eventually, toBase64, type LogEntry } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';

interface Manifest {
  readonly number: number;
  readonly object_key: string;
  readonly files: number;
  readonly records: number;
  readonly store_time: number | null;
  readonly checksum: string | null;
}

interface Period {
  readonly start: number;
  readonly end: number;
  readonly state: string;
  readonly complete_time: number | null;
  readonly merge_time: number | null;
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
  readonly manifests: readonly Manifest[];
}

interface Periods {
  readonly complete_until: number | null;
  readonly has_more_periods: boolean;
  readonly periods: readonly Period[];
}

interface Entry extends LogEntry {
  readonly kind: string;
  readonly supersededTime: number | null;
  readonly manifest: number | null;
}

interface ManifestFile {
  readonly key: string;
  readonly records: number;
  readonly bytes: number;
  readonly checksum: string;
  readonly merged: boolean;
  readonly sequences: readonly { readonly partition: string; readonly first: string; readonly last: string }[];
}

const MINUTE = 60_000;
/** The minute of the records: some hours ago, so that its end does not have to be waited for, but only its lateness. */
const FIRST = Math.floor(Date.now() / MINUTE) * MINUTE - 6 * 3_600_000;
/** `yyyy/MM/dd/HH/mm` of it. */
const PATH = new Date(FIRST).toISOString().slice(0, 16).replaceAll(/[-T:]/g, '/');
/** Time to put what has to be in time. */
const IN_TIME_MS = 12_000;

/** The server takes intervals from one second on. */
export function runDumpPeriodsConformance(getTarget: () => StoreTarget): void {
  // Nearly all of the time is spent waiting, so the tests wait together.
  describe('time directories', { concurrency: 6 }, () => {
    const prefix = `p${randomBytes(4).toString('hex')}`;
    let target: StoreTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    /** A stream of two partitions with a task whose directories are minutes of the records' own time. */
    async function begin(name: string, settings: object = {}): Promise<{ stream: string; id: string; folder: string }> {
      const stream = `${prefix}-${name}`;
      const folder = `${prefix}_${name}`;
      await dis.createStream(stream, 2, { data_type: 'JSON' });
      // So late that the minute of FIRST is waited for until a few seconds from now.
      const lateness = Math.ceil((Date.now() + IN_TIME_MS - (FIRST + MINUTE)) / 1000);
      const id = await dis.addTask(stream, 'task', {
        obs_bucket_path: target.bucket,
        file_prefix: folder,
        partition_format: 'yyyy/MM/dd/HH/mm',
        processing_schema: { timestamp_name: 't', timestamp_type: 'Timestamp' },
        lateness_interval: lateness,
        ...settings,
      });
      return { stream, id, folder };
    }

    const put = (stream: string, partition: number, ...records: object[]) =>
      dis.store(
        stream,
        records.map((record) => ({ data: toBase64(JSON.stringify(record)), partition_id: String(partition) })),
      );

    async function periods(stream: string, query: Record<string, string | number> = {}): Promise<Periods> {
      const answer = await dis.call('GET', `/streams/${stream}/transfer-tasks/task/periods`, { query });
      expectJson(answer);
      return answer.json as Periods;
    }

    const untilTold = (stream: string, manifests = 1) =>
      eventually(
        `${manifests} manifests`,
        async () => (await periods(stream)).periods[0],
        (period) => period?.manifests.filter(({ store_time }) => store_time !== null).length === manifests,
      ) as Promise<Period>;

    const log = async (id: string) => (await dis.wholeLog(id)) as Entry[];

    /** Of one manifest, after a look at its sum. */
    async function manifestOf(folder: string, { object_key, checksum }: Manifest) {
      const objects = await target.objects(`${folder}/`);
      const bytes = objects.get(object_key)!;
      assert.equal(checksum, sumOf(bytes));
      const manifest = JSON.parse(bytes.toString()) as { files: ManifestFile[] } & Record<string, unknown>;
      for (const file of manifest.files) {
        assert.equal(sumOf(objects.get(file.key)!), file.checksum, file.key);
        assert.equal(objects.get(file.key)!.length, file.bytes);
      }
      return { manifest, objects };
    }

    /** Delivers four files into one minute, in time. */
    async function fourFiles(stream: string, id: string): Promise<void> {
      for (const round of [0, 1]) {
        for (const partition of [0, 1]) await put(stream, partition, { t: FIRST + round, id: `${partition}:${round}` });
        await eventually(
          'files',
          async () => (await log(id)).filter(({ state }) => state === 0).length === 2 * (round + 1),
        );
      }
    }

    const IDS = ['0:0', '0:1', '1:0', '1:1'];
    const dataOf = (objects: Objects) => [...objects].filter(([key]) => !key.includes('/_'));

    for (const [name, settings, idsOf] of [
      ['text', {}, async (bytes: Buffer) => linesOf(bytes)],
      ['gzip', { compression_format: 'gzip' }, async (bytes: Buffer) => linesOf(gunzipSync(bytes))],
      ['parquet', { destination_file_type: 'parquet' }, rowsOf],
    ] as const) {
      test(`${name}: the files of a complete minute become one, and a manifest tells of it`, async () => {
        const { stream, id, folder } = await begin(name, { merge_size: 1, manifest: true, ...settings });
        await fourFiles(stream, id);
        const open = (await periods(stream)).periods[0]!;
        assert.deepEqual([open.start, open.end, open.records], [FIRST, FIRST + MINUTE, 4]);
        assert.deepEqual([open.state, open.complete_time, open.manifests], ['open', null, []]);

        const period = await untilTold(stream);
        assert.equal(period.state, 'complete');
        assert.deepEqual([period.files, period.records], [1, 4]);
        const [first] = period.manifests;
        assert.equal(first!.object_key, `${folder}/_manifests/${id}/${PATH}.json`);
        const { manifest } = await manifestOf(folder, first!);
        assert.equal(manifest['period_start'], new Date(FIRST).toISOString());
        assert.deepEqual(
          manifest.files.map(({ merged, records, sequences }) => ({ merged, records, sequences })),
          [
            {
              merged: true,
              records: 4,
              sequences: [0, 1].map((partition) => ({
                partition: `shardId-000000000${partition}`,
                first: '0',
                last: '1',
              })),
            },
          ],
        );
        const objects = await eventually(
          'the inputs are gone',
          () => target.objects(`${folder}/`),
          (seen) => dataOf(seen).length === 1,
        );
        const [[key, bytes]] = dataOf(objects) as [[string, Buffer]];
        assert.deepEqual(await idsOf(bytes), IDS);

        const entries = await log(id);
        const merge = entries.find(({ kind }) => kind === 'merge')!;
        assert.deepEqual(
          [merge.state, merge.objectKey, merge.transferRecordsNum, merge.partitionId],
          [0, key, 4, null],
        );
        assert.deepEqual([merge.checksum, merge.transferBytes, merge.manifest], [sumOf(bytes), bytes.length, 0]);
        const inputs = entries.filter(({ kind }) => kind === 'delivery');
        assert.equal(inputs.length, 4, 'the rows of what was merged stay');
        for (const { supersededTime, state } of inputs) assert.ok(supersededTime !== null && state === 0);
        await dis.deleteStream(stream);
      });
    }

    test('late files are told by an addendum and stay as they are', async () => {
      const { stream, id, folder } = await begin('late', { merge_size: 1, manifest: true });
      await fourFiles(stream, id);
      await untilTold(stream);
      await put(stream, 0, { t: FIRST + 5, id: 'late' });
      const period = await untilTold(stream, 2);
      assert.deepEqual([period.files, period.records], [2, 5]);
      const addendum = period.manifests[1]!;
      assert.deepEqual([addendum.number, addendum.files, addendum.records], [1, 1, 1]);
      assert.ok(addendum.object_key.endsWith(`/${PATH}.1.json`));
      const { manifest, objects } = await manifestOf(folder, addendum);
      assert.equal(
        objects.get(manifest.files[0]!.key)?.toString(),
        `${JSON.stringify({ t: FIRST + 5, id: 'late' })}\n`,
      );
      await dis.deleteStream(stream);
    });

    test('an altered file is not merged: the log says so, and all files stay', async () => {
      const { stream, id, folder } = await begin('altered', { merge_size: 1, manifest: true });
      await fourFiles(stream, id);
      const [, [key]] = dataOf(await target.objects(`${folder}/`)) as [unknown, [string]];
      await target.write(key, Buffer.from('altered\n'));
      const period = await untilTold(stream);
      assert.equal(period.files, 4);
      const merge = (await log(id)).find(({ kind }) => kind === 'merge')!;
      assert.deepEqual([merge.state, merge.givenUp], [1, false]);
      assert.ok(merge.cause?.startsWith(key), merge.cause ?? '');
      assert.equal(dataOf(await target.objects(`${folder}/`)).length, 4);
      await dis.deleteStream(stream);
    });

    test('without merge_size and manifest a directory is complete all the same', async () => {
      const { stream, folder } = await begin('plain', { lateness_interval: 0 });
      await put(stream, 0, { t: FIRST, id: 'a' });
      const { periods: seen } = await eventually(
        'a complete minute',
        () => periods(stream),
        (list) => list.periods[0]?.state === 'complete',
      );
      assert.deepEqual([seen[0]!.merge_time, seen[0]!.manifests, seen[0]!.files], [null, [], 1]);
      assert.ok(![...(await target.objects(`${folder}/`)).keys()].some((key) => key.includes('/_')));
      await dis.deleteStream(stream);
    });

    test('the list of directories: pages, ranges, and up to when all is complete', async () => {
      const { stream } = await begin('pages', { lateness_interval: 0 });
      const before = Date.now();
      for (const minute of [0, 1, 2, -60]) await put(stream, 0, { t: FIRST + minute * MINUTE, id: minute });
      const all = await eventually(
        'four minutes',
        () => periods(stream),
        (list) => list.periods.length === 4,
      );
      const starts = all.periods.map(({ start }) => (start - FIRST) / MINUTE);
      assert.deepEqual(starts, [2, 1, 0, -60], 'the newest first');
      assert.equal(all.has_more_periods, false);
      const page = await periods(stream, { limit: 3 });
      assert.deepEqual(
        page.periods.map(({ start }) => (start - FIRST) / MINUTE),
        starts.slice(0, 3),
      );
      assert.equal(page.has_more_periods, true);
      const next = await periods(stream, { limit: 3, to: page.periods[2]!.start });
      assert.deepEqual(
        next.periods.map(({ start }) => start),
        [FIRST - 60 * MINUTE],
      );
      const one = await periods(stream, { from: FIRST, to: FIRST + 1 });
      assert.deepEqual(
        one.periods.map(({ start }) => start),
        [FIRST],
      );
      assert.deepEqual((await periods(stream, { from: FIRST + 1, to: FIRST + MINUTE })).periods, []);
      const { complete_until: until } = await eventually(
        'the watermark passes',
        () => periods(stream),
        (list) => (list.complete_until ?? 0) > before,
      );
      assert.ok(until! <= Date.now());
      await dis.deleteStream(stream);
    });

    test('refusals have their codes', async () => {
      const { stream } = await begin('refused', { manifest: true });
      const call = (task: string, query: Record<string, string | number> = {}) =>
        dis.call('GET', `/streams/${stream}/transfer-tasks/${task}/periods`, { query });
      for (const query of [{ limit: 0 }, { limit: 101 }, { limit: 'x' }, { from: 'x' }, { to: '1.5' }, { from: '-' }]) {
        expectError(await call('task', query), 400, 'DIS.4200');
      }
      for (const query of [{ limit: 1 }, { limit: 100 }, { from: -1, to: '999999999999999' }]) {
        expectJson(await call('task', query));
      }
      expectError(await call('other'), 400, 'DIS.4354');
      expectError(await call(`task/backfills/${'A'.repeat(19)}`), 400, 'DIS.4354');
      const nowhere = await dis.call('GET', `/streams/${stream}x/transfer-tasks/task/periods`);
      expectError(nowhere, 400, 'DIS.4301');
      expectEmpty(await dis.deleteTask(stream, 'task'), 204);
      expectError(await call('task'), 400, 'DIS.4354');
      await dis.deleteStream(stream);
    });
  });
}

function sumOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function linesOf(bytes: Buffer): string[] {
  const lines = bytes.toString().split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { id: string }).id);
}

async function rowsOf(bytes: Buffer): Promise<string[]> {
  const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
  return rows.map(({ id }) => String(id)).toSorted();
}
