/** Backfills over HTTP: what is asked for comes again, with a log of its own, and the task itself never notices. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Answer } from '../../support/api-client.ts';
import { DisClient, eventually, toBase64 } from '../../support/dis-client.ts';
import { expectEmpty, expectError, expectJson } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';

interface Range {
  readonly partitionId: string;
  readonly from_sequence_number: string;
  readonly to_sequence_number: string;
  readonly records: number;
  readonly truncated: boolean;
}

/** The server takes intervals from one second on and three unfinished backfills of a task. */
export const MOST_BACKFILLS = 3;

export function runBackfillConformance(getTarget: () => StoreTarget): void {
  describe('backfills', () => {
    const prefix = `b${randomBytes(4).toString('hex')}`;
    let target: StoreTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    /** A stream of two partitions with a task `task` that delivers every second. */
    async function makeStream(name: string, settings: object = {}): Promise<string> {
      const stream = `${prefix}-${name}`;
      await dis.createStream(stream, 2);
      const folder = `${prefix}_${name}`;
      await dis.addTask(stream, 'task', { obs_bucket_path: target.bucket, file_prefix: folder, ...settings });
      return stream;
    }
    const put = (stream: string, partition: number, ...texts: readonly string[]) =>
      dis.store(
        stream,
        texts.map((text) => ({ data: toBase64(text), partition_id: String(partition) })),
      );
    const call = (method: string, stream: string, path = '', body?: unknown): Promise<Answer> =>
      dis.call(method, `/streams/${stream}/transfer-tasks/task/backfills${path}`, { body });
    const folderOf = (stream: string) => `${stream.replaceAll('-', '_')}_again`;
    const create = async (stream: string, body: object = {}) => {
      const answer = await call('POST', stream, '', { file_prefix: folderOf(stream), ...body });
      expectJson(answer, 201);
      return answer.json as { backfill_id: string; records: number; truncated: boolean; partitions: Range[] };
    };
    const show = async (stream: string, id: string) => {
      const answer = await call('GET', stream, `/${id}`);
      expectJson(answer);
      return answer.json;
    };
    const finished = (stream: string, id: string) =>
      eventually(
        'the backfill is finished',
        () => show(stream, id),
        ({ state }) => state === 'FINISHED',
      );
    /** The records of a backfill by partition, as its log and its objects have them. */
    async function deliveredBy(stream: string, id: string): Promise<string[][]> {
      const objects = await target.objects(`${folderOf(stream)}/`);
      const records: string[][] = [[], []];
      for (const { state, objectKey, partitionId, transferRecordsNum } of await dis.wholeLog(id)) {
        if (state !== 0) continue;
        const lines = objects.get(objectKey)!.toString().split('\n').slice(0, -1);
        assert.equal(lines.length, transferRecordsNum);
        records[Number(partitionId.at(-1))]!.push(...lines);
      }
      return records;
    }

    test('everything comes again under another prefix; the task goes on beside it', async () => {
      const stream = await makeStream('all');
      const taskId = await dis.taskId(stream, 'task');
      await put(stream, 0, 'a', 'b');
      await put(stream, 1, 'c');
      const both = async () => (await dis.wholeLog(taskId)).filter(({ state }) => state === 0).length === 2;
      await eventually('the task delivers', both);
      const before = await dis.wholeLog(taskId);
      const position = async () =>
        (await dis.showTask(stream, 'task')).json.partitions.map(
          (partition: { last_transfer_offset: number }) => partition.last_transfer_offset,
        );
      assert.deepEqual(await position(), [2, 1]);

      const made = await create(stream);
      assert.match(made.backfill_id, /^[A-Za-z0-9]{19}$/);
      assert.deepEqual(
        [made.records, made.truncated, made.partitions.map(({ records }) => records)],
        [3, false, [2, 1]],
      );
      const shown = await finished(stream, made.backfill_id);
      assert.deepEqual(
        [shown.records, shown.records_left, shown.discard, shown.task_id, shown.task_name],
        [3, 0, 0, taskId, 'task'],
      );
      assert.equal(shown.obs_destination_description.file_prefix, folderOf(stream));
      assert.deepEqual(await deliveredBy(stream, made.backfill_id), [['a', 'b'], ['c']]);

      assert.deepEqual(await dis.wholeLog(taskId), before, 'the log of the task is its own');
      assert.deepEqual(await position(), [2, 1]);
      await put(stream, 0, 'd');
      await eventually('the task goes on', async () => (await position())[0] === 3);
      assert.equal((await show(stream, made.backfill_id)).records, 3, 'it ends where the stream ended');
      const listed = (await dis.listTasks(stream)).json;
      assert.deepEqual([listed.total_number, listed.tasks.length], [1, 1]);
      const place = await dis.call('GET', `/transfer-tasks/${made.backfill_id}`);
      assert.deepEqual([place.json.kind, place.json.parent_task_id], ['backfill', taskId]);
      await dis.deleteStream(stream);
    });

    test('ranges by time and by sequence number; a dry run tells the same and makes nothing', async () => {
      const stream = await makeStream('ranges');
      await put(stream, 0, '0a', '0b', '0c');
      await put(stream, 1, '1a');
      // Arrival times are told to the millisecond: the next one is a later one.
      const [last] = (await dis.readAll(stream, 1)).slice(-1);
      await eventually('a later millisecond', async () => Date.now() > last!.timestamp + 1);
      const then = Date.now();
      await put(stream, 1, '1b');
      const cases: [object, string[][]][] = [
        [{ from: { timestamp: then } }, [[], ['1b']]],
        [{ to: { timestamp: then } }, [['0a', '0b', '0c'], ['1a']]],
        [{ from: { sequence_numbers: { 'shardId-0000000000': '1' } } }, [['0b', '0c'], []]],
        [
          { from: { sequence_numbers: { '0': '1', '1': '1' } }, to: { sequence_numbers: { '0': '2' } } },
          [['0b'], ['1b']],
        ],
        [{ to: { timestamp: 0 } }, [[], []]],
      ];
      for (const [points, expected] of cases) {
        const dry = await call('POST', stream, '', { file_prefix: folderOf(stream), dry_run: true, ...points });
        expectJson(dry, 200);
        const { records, bytes, partitions } = dry.json;
        assert.equal(records, expected.flat().length);
        assert.equal(bytes > 0, records > 0);
        const made = await create(stream, points);
        assert.deepEqual(
          made.partitions,
          partitions.map(({ bytes: _bytes, ...range }: { bytes: number }) => range),
        );
        await finished(stream, made.backfill_id);
        assert.deepEqual(await deliveredBy(stream, made.backfill_id), expected, JSON.stringify(points));
      }
      const { total_number, quota, backfills } = (await call('GET', stream)).json;
      assert.deepEqual([total_number, quota, backfills.length], [cases.length, MOST_BACKFILLS, cases.length]);
      await dis.deleteStream(stream);
    });

    test('settings may be different; what is refused is refused with its code', async () => {
      const stream = await makeStream('settings', { record_delimiter: ';' });
      await put(stream, 0, 'a', 'b');
      const descriptor = { record_delimiter: '\n', partition_format: 'yyyy/MM', compression_format: 'none' };
      const { backfill_id: id } = await create(stream, { obs_destination_descriptor: descriptor });
      await finished(stream, id);
      assert.deepEqual(await deliveredBy(stream, id), [['a', 'b'], []]);
      const [entry] = await dis.wholeLog(id);
      assert.match(entry!.objectKey, new RegExp(`^${folderOf(stream)}/\\d{4}/\\d{2}/${id}\\.${stream}\\.0\\.\\d+$`));

      const file_prefix = folderOf(stream);
      const own = `${prefix}_settings`;
      const refused: [unknown, string][] = [
        [{ file_prefix: own }, 'DIS.4300'],
        [{ file_prefix: `${own}/` }, 'DIS.4300'],
        [{}, 'DIS.4300'],
        [{ file_prefix: 'a b' }, 'DIS.4300'],
        [{ file_prefix, from: {} }, 'DIS.4300'],
        [{ file_prefix, from: { timestamp: 'yesterday' } }, 'DIS.4300'],
        [{ file_prefix, from: { timestamp: 2 }, to: { timestamp: 1 } }, 'DIS.4300'],
        [{ file_prefix, from: { timestamp: 1, sequence_numbers: { '0': '1' } } }, 'DIS.4300'],
        [{ file_prefix, from: { sequence_numbers: { '0': 'x' } } }, 'DIS.4300'],
        [{ file_prefix, from: { sequence_numbers: { x: '1' } } }, 'DIS.4201'],
        [{ file_prefix, from: { sequence_numbers: { '2': '1' } } }, 'DIS.4302'],
        [{ file_prefix, obs_destination_descriptor: { destination_file_type: 'orc' } }, 'DIS.4200'],
        [{ file_prefix, obs_destination_descriptor: { partition_format: 'yy' } }, 'DIS.4300'],
      ];
      for (const [body, code] of refused) expectError(await call('POST', stream, '', body), 400, code);
      const unknown = 'A'.repeat(19);
      expectError(await call('GET', stream, `/${unknown}`), 400, 'DIS.4354');
      expectError(await call('DELETE', stream, `/${unknown}`), 400, 'DIS.4354');
      expectError(await call('POST', stream, `/${unknown}/action`, { action: 'pause' }), 400, 'DIS.4354');
      expectError(await call('POST', stream, `/${id}/action`, { action: 'stop' }), 400, 'DIS.4300');
      expectError(await call('GET', stream, '?limit=0'), 400, 'DIS.4200');
      expectError(await dis.call('GET', `/streams/${stream}/transfer-tasks/none/backfills`), 400, 'DIS.4354');
      await dis.deleteStream(stream);
    });

    test('pause, resume, cancel; with its task it ends', async () => {
      const stream = await makeStream('operated');
      const text = 'x'.repeat(1000);
      for (let round = 0; round < 3; round += 1) {
        await put(stream, 0, ...Array.from({ length: 500 }, (_, at) => `${round}-${at}-${text}`));
      }
      const ids: string[] = [];
      for (let at = 0; at < MOST_BACKFILLS; at += 1) {
        const { backfill_id: id } = await create(stream, { from: { sequence_numbers: { '0': '0' } } });
        expectEmpty(await call('POST', stream, `/${id}/action`, { action: 'pause' }), 200);
        // It may have been through before that.
        assert.match((await show(stream, id)).state, /^(?:PAUSED|FINISHED)$/);
        ids.push(id);
      }
      for (const id of ids) {
        expectEmpty(await call('POST', stream, `/${id}/action`, { action: 'resume' }), 200);
        await finished(stream, id);
      }
      expectEmpty(await call('DELETE', stream, `/${ids[0]}`), 204);
      expectError(await call('GET', stream, `/${ids[0]}`), 400, 'DIS.4354');
      assert.ok((await dis.wholeLog(ids[0]!)).length > 0, 'its log stays');
      assert.equal((await deliveredBy(stream, ids[0]!))[0]!.length, 1500, 'and its files');
      await dis.deleteTask(stream, 'task');
      expectError(await call('GET', stream, `/${ids[1]}`), 400, 'DIS.4354');
      const place = (await dis.call('GET', `/transfer-tasks/${ids[1]}`)).json;
      assert.equal(place.state, 'DELETE');
      await dis.deleteStream(stream);
    });
  });
}
