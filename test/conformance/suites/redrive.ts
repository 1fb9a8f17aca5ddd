/** Redrives over HTTP: records that could not be converted come into files once the settings fit them. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import type { Answer } from '../../support/api-client.ts';
import { DisClient, eventually, toBase64, type LogEntry } from '../../support/dis-client.ts';
import { expectError, expectJson } from '../../support/expect.ts';
import type { StoreTarget } from '../../support/on-both-stores.ts';

interface Entry extends LogEntry {
  readonly kind: string;
  readonly deadLettersNum: number;
  readonly deadLetterKey: string | null;
}

/** The server takes intervals from one second on. */
export function runRedriveConformance(getTarget: () => StoreTarget): void {
  describe('redrives', () => {
    const prefix = `r${randomBytes(4).toString('hex')}`;
    let target: StoreTarget;
    let dis: DisClient;

    before(async () => {
      target = getTarget();
      dis = await DisClient.login(target);
    });
    after(() => dis.close());

    const redrive = (method: string, stream: string): Promise<Answer> =>
      dis.call(method, `/streams/${stream}/transfer-tasks/task/redrive`);
    const log = async (stream: string) => (await dis.wholeLog(await dis.taskId(stream, 'task'))) as Entry[];
    const through = (stream: string) =>
      eventually(
        'all redrives are through',
        async () => (await redrive('GET', stream)).json,
        ({ redrive: { cuts } }) => cuts === 0,
      );
    /** Nothing is wrong with the log, the bucket and the stream, as far as the server itself can tell. */
    async function verify(stream: string): Promise<void> {
      const path = `/v1/transfertasklog/${await dis.taskId(stream, 'task')}/verify`;
      const { text } = await dis.http.call('POST', path, {
        token: dis.token,
        query: { contents: 'true', records: 'true' },
      });
      const { summary } = JSON.parse(text.trimEnd().split('\n').at(-1)!) as { summary?: { findings: number } };
      assert.equal(summary?.findings, 0, text);
    }
    const put = (stream: string, texts: readonly (string | Buffer)[]) =>
      dis.store(
        stream,
        texts.map((data) => ({ data: toBase64(data), partition_key: 'k', timestamp: 1_700_000_000_000 })),
      );
    const settings = (stream: string, more: object) => ({
      obs_bucket_path: target.bucket,
      file_prefix: stream.replaceAll('-', '_'),
      deliver_time_interval: 1,
      ...more,
    });
    const update = (stream: string, more: object) =>
      dis.updateTask(stream, { task_name: 'task', ...settings(stream, more) });

    /** A stream of JSON with a task, and records of it that are dead letters, one cut of them. */
    async function withDeadLetters(name: string, task: object, records: readonly (string | Buffer)[]): Promise<string> {
      const stream = `${prefix}-${name}`;
      await dis.createStream(stream, 1, { data_type: 'JSON' });
      await dis.addTask(stream, 'task', settings(stream, task));
      await put(stream, records);
      await eventually('dead letters', async () =>
        (await log(stream)).some(({ deadLettersNum }) => deadLettersNum > 0),
      );
      return stream;
    }

    test('a mended schema: the records are in a file, the log accounts for them, nothing is dead', async () => {
      const schema = (type: string) =>
        JSON.stringify({ type: 'record', name: 'order', fields: [{ name: 'id', type }] });
      const parquet = (type: string) => ({ destination_file_type: 'parquet', data_schema: schema(type) });
      const stream = await withDeadLetters('schema', parquet('int'), [
        '{"id":1}',
        '{"id":3000000000}',
        '{"id":"many"}',
      ]);
      const [source] = await log(stream);
      assert.deepEqual([source!.transferRecordsNum, source!.deadLettersNum], [1, 2]);
      const discard = async () => (await dis.showTask(stream, 'task')).json.partitions[0].discard as number;
      assert.equal(await discard(), 2);
      assert.deepEqual((await redrive('GET', stream)).json, {
        redrive: { cuts: 0, records: 0 },
        dead_letters: { cuts: 1, records: 2 },
      });

      await update(stream, parquet('long'));
      const asked = await redrive('POST', stream);
      expectJson(asked, 202);
      assert.deepEqual(asked.json, { redrive: { cuts: 1, records: 2 } });
      assert.deepEqual((await through(stream)).dead_letters, { cuts: 1, records: 1 });
      const entry = (await log(stream)).find(({ kind, state }) => kind === 'redrive' && state === 0)!;
      assert.deepEqual(
        [entry.transferRecordsNum, entry.deadLettersNum, entry.readRecordsNum, entry.taskVersion, entry.attempt],
        [1, 1, 2, 2, 1],
      );
      assert.deepEqual([entry.firstSequenceNumber, entry.lastSequenceNumber], ['1', '1']);
      assert.equal(await discard(), 1);

      const objects = await target.objects(`${stream.replaceAll('-', '_')}/`);
      const file = objects.get(entry.objectKey)!;
      assert.equal(entry.checksum, `sha256:${createHash('sha256').update(file).digest('hex')}`);
      const rows = await parquetReadObjects({
        file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer,
      });
      assert.deepEqual(rows, [{ id: 3_000_000_000n }]);
      const [letter] = objects.get(entry.deadLetterKey!)!.toString().split('\n');
      const { sequence_number, payload, partition_key, timestamp } = JSON.parse(letter!);
      assert.deepEqual(
        [sequence_number, payload, partition_key, timestamp],
        ['2', '{"id":"many"}', 'k', 1_700_000_000_000],
      );
      assert.ok(objects.has(source!.deadLetterKey!), 'what it was made of stays');
      await verify(stream);
      await dis.deleteStream(stream);
    });

    test('every payload comes back byte by byte; two calls at once take nothing twice', async () => {
      const records = ['no json', Buffer.from([0xff, 0xfe, 0, 10]), '{"a":[]}', '😀\r\n"', Buffer.alloc(200_000, 'x')];
      const stream = await withDeadLetters('bytes', { path_template: 'a={$.a}' }, records);
      await update(stream, { record_delimiter: '' });
      const answers = await Promise.all([redrive('POST', stream), redrive('POST', stream)]);
      assert.deepEqual(answers.map(({ json }) => json.redrive.records).sort(), [0, 5]);
      assert.deepEqual((await through(stream)).dead_letters, { cuts: 0, records: 0 });
      const entries = (await log(stream)).filter(({ kind }) => kind === 'redrive');
      assert.equal(entries.length, 1);
      const objects = await target.objects(`${stream.replaceAll('-', '_')}/`);
      const whole = Buffer.concat(records.map((record) => Buffer.from(record as string)));
      assert.ok(objects.get(entries[0]!.objectKey)!.equals(whole));
      await verify(stream);
      await dis.deleteStream(stream);
    });

    test('an altered object is told and never delivered; when it is mended it comes through', async () => {
      const stream = await withDeadLetters('altered', { path_template: 'a={$.a}' }, ['{"a":[1]}']);
      const key = (await log(stream))[0]!.deadLetterKey!;
      const whole = (await target.objects(key)).get(key)!;
      await target.write(key, Buffer.from(whole.toString().replace('[1]', '[2]')));
      await update(stream, {});
      expectJson(await redrive('POST', stream), 202);
      const { redrive: failing } = await eventually(
        'it fails',
        async () => (await redrive('GET', stream)).json,
        (shown) => shown.redrive.cause !== undefined,
      );
      assert.match(failing.cause, /were altered: its checksum is/);
      assert.deepEqual([failing.cuts, failing.records], [1, 1]);
      assert.ok(
        (await log(stream)).some(
          ({ kind, state, cause }) => kind === 'redrive' && state === 1 && cause === failing.cause,
        ),
      );
      await target.write(key, whole);
      await through(stream);
      const entry = (await log(stream)).find(({ kind, state }) => kind === 'redrive' && state === 0)!;
      const objects = await target.objects(`${stream.replaceAll('-', '_')}/`);
      assert.equal(objects.get(entry.objectKey)!.toString(), '{"a":[1]}\n');
      assert.ok(entry.attempt > 1);
      assert.equal([...objects.values()].filter((bytes) => bytes.includes('[2]')).length, 0);
      await dis.deleteStream(stream);
    });

    test('a task that is not there', async () => {
      const stream = `${prefix}-none`;
      await dis.createStream(stream);
      for (const method of ['GET', 'POST']) expectError(await redrive(method, stream), 400, 'DIS.4354');
      await dis.deleteStream(stream);
      for (const method of ['GET', 'POST']) expectError(await redrive(method, stream), 400, 'DIS.4301');
    });
  });
}
