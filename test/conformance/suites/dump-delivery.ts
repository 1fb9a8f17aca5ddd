/** What dump tasks deliver: which records are in which files, how the files are named, and when they come. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Objects } from '../../support/buckets.ts';
import type { Target } from '../../support/api-client.ts';
import { checkDelivery, delivered, readStream, STATE, type Delivery } from '../../support/checker.ts';
import { DisClient, eventually, toBase64, type LogEntry } from '../../support/dis-client.ts';
import { expectEmpty, expectError } from '../../support/expect.ts';
import { Load } from '../../support/load.ts';
import { seededFraction } from '../../support/random.ts';

export interface DeliveryTarget extends Target {
  /** A bucket that files may go to. */
  readonly bucket: string;
  /** What is in it below a prefix. */
  readonly objects: (prefix: string) => Promise<Objects>;
}

const MEGABYTE = 1024 * 1024;

/** The server takes intervals from one second on. */
export function runDumpDeliveryConformance(getTarget: () => DeliveryTarget): void {
  // Nearly all of the time is spent waiting for intervals to pass, so the tests wait together.
  describe('delivery', { concurrency: 6 }, () => {
    const prefix = `d${randomBytes(4).toString('hex')}`;
    let target: DeliveryTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    /** Makes a stream whose name ends in `suffix`. */
    async function makeStream(suffix: string, partitions = 1): Promise<string> {
      const stream = `${prefix}-${suffix}`;
      await dis.createStream(stream, partitions);
      return stream;
    }

    /** A task whose files are below a prefix of its own. */
    const addTask = (stream: string, task: string, settings: object = {}) =>
      dis.addTask(stream, task, { obs_bucket_path: target.bucket, file_prefix: folder(stream, task), ...settings });
    const folder = (stream: string, task: string) => `${stream.replaceAll('-', '_')}_${task}`;

    const objectsOf = (stream: string, task: string) => target.objects(`${folder(stream, task)}/`);

    const put = (stream: string, ...texts: readonly string[]) =>
      dis.store(
        stream,
        texts.map((text) => ({ data: toBase64(Buffer.from(text, 'latin1')) })),
      );

    /** Waits for the end of the work and holds log and bucket against the stream. Resolves to the log. */
    async function checkTask(stream: string, task: string, more: Partial<Delivery> = {}): Promise<LogEntry[]> {
      await delivered(dis, stream, task);
      const taskId = await dis.taskId(stream, task);
      const log = await dis.wholeLog(taskId);
      const content = await readStream(dis, stream);
      const objects = await objectsOf(stream, task);
      checkDelivery({ taskId, streamName: stream, delimiter: '\n', content, log, objects, ...more });
      return log;
    }

    const BINARY = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');

    test('each record once, in order, each followed by the delimiter', async () => {
      const delimiters = [undefined, ',', ';', '|', '\n', '', 'NULL'];
      for (const group of [delimiters.slice(0, 5), delimiters.slice(5)]) {
        const stream = await makeStream(`delimiters-${group.length}`, 3);
        await put(stream, 'a', 'b,c;d|e\nf', BINARY);
        const names = group.map((_, i) => `t${i}`);
        for (const [i, record_delimiter] of group.entries()) {
          await addTask(stream, names[i]!, record_delimiter === undefined ? {} : { record_delimiter });
        }
        for (let i = 0; i < 40; i += 1) await put(stream, ...Array.from({ length: i }, (_, n) => `${i}/${n}`), 'x');
        for (const [i, given = '\n'] of group.entries()) {
          const log = await checkTask(stream, names[i]!, { delimiter: given === 'NULL' ? '' : given });
          assert.deepEqual(new Set(log.map(({ state }) => state)), new Set([STATE.delivered]));
        }
        await dis.deleteStream(stream);
      }
    });

    test('keys: prefix, directories of the time of the plan in UTC, and a name of four parts', async () => {
      const formats = {
        '': '',
        yyyy: 'YYYY/',
        'yyyy/MM': 'YYYY/MM/',
        'yyyy/MM/dd': 'YYYY/MM/DD/',
        'yyyy/MM/dd/HH': 'YYYY/MM/DD/HH/',
        'yyyy/MM/dd/HH/mm': 'YYYY/MM/DD/HH/mm/',
      };
      for (const group of [Object.entries(formats).slice(0, 3), Object.entries(formats).slice(3)]) {
        const stream = await makeStream(`formats-${group[0]![0].length}`, 2);
        await dis.store(
          stream,
          ['0', '1'].map((partition_id) => ({ data: 'YQ==', partition_id })),
        );
        for (const [i, [partition_format]] of group.entries()) {
          const ending = i % 2 === 0 ? '' : '/';
          await addTask(stream, `t${i}`, { partition_format, file_prefix: `${folder(stream, `t${i}`)}/a/b${ending}` });
        }
        for (const [i, [, pattern]] of group.entries()) {
          const log = await checkTask(stream, `t${i}`);
          assert.equal(log.length, 2);
          for (const { objectKey, transferFileName, createTime } of log) {
            const [year, month, day, hour, minute] = new Date(createTime).toISOString().split(/[-T:]/);
            const directories = pattern
              .replace('YYYY', year!)
              .replace('MM', month!)
              .replace('DD', day!)
              .replace('HH', hour!)
              .replace('mm', minute!);
            assert.equal(objectKey, `${folder(stream, `t${i}`)}/a/b/${directories}${transferFileName}`);
          }
        }
        await dis.deleteStream(stream);
      }
      const stream = await makeStream('bare');
      await put(stream, 'x');
      const taskId = await addTask(stream, 'bare', { file_prefix: '' });
      await delivered(dis, stream, 'bare');
      const [entry] = await dis.wholeLog(taskId);
      assert.match(entry?.objectKey ?? '', new RegExp(`^${taskId}\\.${stream}\\.0\\.\\d{13}$`));
      assert.equal((await target.objects(taskId)).get(entry?.objectKey ?? '')?.toString(), 'x\n');
      await dis.deleteStream(stream);
    });

    test('TRIM_HORIZON delivers what is there already, LATEST only what comes after its creation', async () => {
      const stream = await makeStream('strategies', 2);
      await dis.store(
        stream,
        ['0', '0', '1'].map((partition_id) => ({ data: toBase64('old'), partition_id })),
      );
      await addTask(stream, 'all');
      await addTask(stream, 'new', { consumer_strategy: 'LATEST' });
      await addTask(stream, 'default', { consumer_strategy: undefined });
      await dis.store(
        stream,
        ['0', '1', '1'].map((partition_id) => ({ data: toBase64('new'), partition_id })),
      );
      await checkTask(stream, 'all');
      await checkTask(stream, 'new', { starts: [2, 1] });
      await checkTask(stream, 'default', { starts: [2, 1] });
      await dis.deleteStream(stream);
    });

    test('no file without records: one a partition and interval that has some', async () => {
      const stream = await makeStream('quiet', 3);
      const taskId = await addTask(stream, 'task');
      const shown = async () =>
        (await dis.showTask(stream, 'task')).json as {
          last_transfer_timestamp: number;
          partitions: { last_transfer_timestamp: number; last_transfer_offset: number }[];
        };
      for (const [round, partition_id] of ['0', '0', '2', '0'].entries()) {
        await dis.store(stream, [{ data: 'YQ==', partition_id }]);
        await delivered(dis, stream, 'task');
        assert.equal((await dis.wholeLog(taskId)).length, round + 1);
      }
      const log = await checkTask(stream, 'task');
      assert.deepEqual(
        log.map(({ partitionId }) => partitionId.at(-1)),
        ['0', '0', '2', '0'],
      );
      const { partitions, last_transfer_timestamp } = await shown();
      assert.deepEqual(
        partitions.map(({ last_transfer_offset }) => last_transfer_offset),
        [3, 0, 1],
      );
      assert.equal(partitions[1]?.last_transfer_timestamp, 0);
      assert.equal(partitions[0]?.last_transfer_timestamp, log.at(-1)?.endTime);
      assert.equal(last_transfer_timestamp, log.at(-1)?.endTime);
      const [listed] = (await dis.listTasks(stream)).json.tasks as { last_transfer_timestamp: number }[];
      assert.equal(listed?.last_transfer_timestamp, last_transfer_timestamp);
      await dis.deleteStream(stream);
    });

    test('the size delivers before the interval has passed, the rest waits for it', async () => {
      const stream = await makeStream('size');
      const taskId = await addTask(stream, 'task', { deliver_time_interval: 900, deliver_size_interval: 1 });
      const record = 'x'.repeat(100 * 1024);
      for (let i = 0; i < 35; i += 1) await put(stream, `${i}${record}`);
      const log = await eventually(
        'three files of a megabyte',
        () => dis.wholeLog(taskId),
        (entries) => entries.filter(({ state }) => state === STATE.delivered).length === 3,
      );
      for (const { transferBytes } of log) {
        assert.ok(transferBytes >= MEGABYTE && transferBytes < MEGABYTE + 2 * record.length, String(transferBytes));
      }
      // What is left is below the size, and comes as soon as the interval is a short one.
      assert.equal((await dis.wholeLog(taskId)).length, 3);
      const settings = {
        obs_bucket_path: target.bucket,
        file_prefix: folder(stream, 'task'),
        deliver_time_interval: 1,
      };
      expectEmpty(await dis.updateTask(stream, { task_name: 'task', ...settings }), 200);
      const whole = await checkTask(stream, 'task');
      assert.equal(whole.length, 4);
      assert.deepEqual(
        whole.map(({ taskVersion }) => taskVersion),
        [1, 1, 1, 2],
      );
      await dis.deleteStream(stream);
    });

    test('a large file, and a record of the largest size', async () => {
      const stream = await makeStream('large');
      const id = await addTask(stream, 'task');
      expectEmpty(await dis.changeTasks(stream, 'stop', id), 200);
      // More than two parts of an S3 upload.
      const megabyte = randomBytes(MEGABYTE / 2).toString('hex');
      for (let i = 0; i < 5; i += 1) await put(stream, megabyte, megabyte, megabyte, `${i}`);
      await put(stream, 'small', megabyte, megabyte, megabyte);
      expectEmpty(await dis.changeTasks(stream, 'start', id), 200);
      const log = await checkTask(stream, 'task');
      assert.equal(log.length, 1, 'what waited is one file');
      assert.ok(log[0]!.transferBytes > 18 * MEGABYTE);
      await dis.deleteStream(stream);
    });

    test('stop and start while records come lose nothing and repeat nothing', async () => {
      const stream = await makeStream('stopped', 2);
      const id = await addTask(stream, 'task');
      const control = await addTask(stream, 'control');
      const load = new Load({ stream, putters: 2, records: 5, filler: 500, fraction: seededFraction(1) });
      const putters = load.start(dis);
      await eventually('a file', async () => (await dis.wholeLog(id)).length > 0);
      for (let round = 0; round < 2; round += 1) {
        expectEmpty(await dis.changeTasks(stream, 'stop', id), 200);
        const still = await dis.wholeLog(id);
        const others = await dis.wholeLog(control);
        await eventually('others go on', async () => (await dis.wholeLog(control)).length > others.length);
        const later = await dis.wholeLog(id);
        assert.deepEqual(
          later.map(({ transferFileName }) => transferFileName),
          still.map(({ transferFileName }) => transferFileName),
          'a stopped task plans nothing',
        );
        assert.equal((await dis.showTask(stream, 'task')).json.state, 'PAUSED');
        expectEmpty(await dis.changeTasks(stream, 'start', id), 200);
        await eventually('it goes on', async () => (await dis.wholeLog(id)).length > later.length);
      }
      await putters.stop();
      assert.deepEqual(load.refusals, []);
      await checkTask(stream, 'task');
      await checkTask(stream, 'control');
      await dis.deleteStream(stream);
    });

    test('an update while records come: each file is wholly under the old settings or the new ones', async () => {
      const stream = await makeStream('updated', 2);
      const id = await addTask(stream, 'task');
      const load = new Load({ stream, putters: 2, records: 5, filler: 500, fraction: seededFraction(2) });
      const putters = load.start(dis);
      const delimiters = ['\n', ',', ''];
      for (const [i, record_delimiter] of delimiters.slice(1).entries()) {
        await eventually('a file', async () =>
          (await dis.wholeLog(id)).some(({ taskVersion }) => taskVersion === i + 1),
        );
        const settings = {
          task_name: 'task',
          obs_bucket_path: target.bucket,
          file_prefix: `${folder(stream, 'task')}/v${i + 2}`,
          deliver_time_interval: 1,
          record_delimiter,
        };
        expectEmpty(await dis.updateTask(stream, settings), 200);
      }
      await eventually('a file', async () => (await dis.wholeLog(id)).some(({ taskVersion }) => taskVersion === 3));
      await putters.stop();
      const log = await checkTask(stream, 'task', { delimiter: ({ taskVersion }) => delimiters[taskVersion - 1]! });
      for (const { objectKey, taskVersion } of log) {
        const below = taskVersion === 1 ? '' : `/v${taskVersion}`;
        assert.match(objectKey, new RegExp(`^${folder(stream, 'task')}${below}/[^/]+$`));
      }
      await dis.deleteStream(stream);
    });

    test('a deleted task leaves its files and its log, and delivers no more', async () => {
      const stream = await makeStream('deleted');
      const id = await addTask(stream, 'task');
      await put(stream, 'before');
      const log = await checkTask(stream, 'task');
      const objects = await objectsOf(stream, 'task');
      expectEmpty(await dis.deleteTask(stream, 'task'), 204);
      // A task of the same name begins anew: another id, its own position, no clash of keys.
      await addTask(stream, 'task', { file_prefix: `${folder(stream, 'second')}` });
      await put(stream, 'after');
      await delivered(dis, stream, 'task');
      assert.deepEqual(await dis.wholeLog(id), log);
      assert.deepEqual(await objectsOf(stream, 'task'), objects);
      await dis.deleteStream(stream);
    });

    test('a deleted stream ends its tasks; files and log stay, and a new stream of its name has nothing of it', async () => {
      const stream = await makeStream('ended');
      const id = await addTask(stream, 'task');
      await put(stream, 'old');
      const log = await checkTask(stream, 'task');
      const objects = await objectsOf(stream, 'task');
      await put(stream, 'never delivered');
      await dis.deleteStream(stream);
      expectError(await dis.showTask(stream, 'task'), 400, 'DIS.4301');
      const ended = await dis.wholeLog(id);
      assert.deepEqual(ended.slice(0, log.length), log);
      for (const entry of ended.slice(log.length)) assert.notEqual(entry.state, STATE.planned);

      await makeStream('ended');
      assert.equal((await dis.listTasks(stream)).json.total_number, 0);
      await put(stream, 'new');
      const newId = await addTask(stream, 'task', { file_prefix: folder(stream, 'second') });
      await delivered(dis, stream, 'task');
      const [entry] = await dis.wholeLog(newId);
      assert.equal((await objectsOf(stream, 'second')).get(entry?.objectKey ?? '')?.toString(), 'new\n');
      // The record that was on its way when the stream was deleted was committed before that, or it is no file.
      const left = await objectsOf(stream, 'task');
      const committed = ended.filter(({ state }) => state === STATE.delivered);
      assert.deepEqual([...left.keys()].toSorted(), committed.map(({ objectKey }) => objectKey).toSorted());
      for (const [key, bytes] of objects) assert.ok(left.get(key)?.equals(bytes));
      await dis.deleteStream(stream);
    });
  });
}
